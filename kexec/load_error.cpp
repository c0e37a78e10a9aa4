// SPDX-License-Identifier: Apache-2.0
// From an errno of the kernel's loader to a sentence that a person can act on.
#include <algorithm>
#include <array>

#include "kexec/loader.hpp"

namespace stillboot::kexec {
namespace {

struct Row {
    int error_number;
    std::string_view code;
};

// The calls' own words: kernel/kexec_file.c, kernel/kexec.c, certs/system_keyring.c, crypto/asymmetric_keys.
constexpr std::array<Row, 17> rows = {{{ENOEXEC, "kexec.format_refused"},
                                       {EINVAL, "kexec.arguments_refused"},
                                       {ENOSYS, "kexec.call_missing"},
                                       {ENOTSUP, "kexec.call_not_supported"},
                                       {ENOMEM, "kexec.no_memory"},
                                       {EADDRNOTAVAIL, "kexec.no_memory_place"},
                                       {EBUSY, "kexec.load_busy"},
                                       {EBADF, "kexec.bad_descriptor"},
                                       {EFBIG, "kexec.file_too_big_for_kernel"},
                                       {EACCES, "kexec.appraisal_refused"},
                                       {EKEYREJECTED, "kexec.signature_rejected"},
                                       {EKEYEXPIRED, "kexec.signature_rejected"},
                                       {ENOKEY, "kexec.signature_key_unknown"},
                                       {EBADMSG, "kexec.signature_malformed"},
                                       {ENOPKG, "kexec.signature_algorithm_missing"},
                                       {ELIBBAD, "kexec.signature_unreadable"},
                                       {ENODATA, "kexec.signature_missing"}}};

// EPERM has five causes; what the machine says tells them apart, most certain first.
std::string_view permission_code(const LoadRestrictions& restrictions) {
    if (!restrictions.may_boot) {
        return "kexec.not_permitted";
    }
    if (restrictions.load_disabled) {
        return "kexec.load_disabled";
    }
    if (restrictions.calls_left == 0U) {
        return "kexec.load_limit_reached";
    }
    return restrictions.lockdown != "none" ? "kexec.lockdown_refuses" : "kexec.load_refused";
}

}  // namespace

Error explain_load_error(int error_number, const LoadOrder& order, const LoadRestrictions& restrictions) {
    std::string_view code = "kexec.load_failed";
    if (error_number == EPERM) {
        code = permission_code(restrictions);
    } else {
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& candidate) {
            return candidate.error_number == error_number;
        });
        code = row == rows.end() ? code : row->code;
    }
    return Error::from_errno(error_number, code,
                             {{"format", to_word(order.format)}, {"lockdown", restrictions.lockdown}});
}

bool fallback_is_legitimate(int error_number) {
    return error_number == ENOSYS || error_number == ENOEXEC || error_number == ENOTSUP || error_number == EINVAL;
}

}  // namespace stillboot::kexec
