// SPDX-License-Identifier: Apache-2.0
// kexec_file_load(2), kexec_load(2) by way of the kexec program, and the jump.
#include <linux/capability.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>

#include "kexec/loader.hpp"
#include "kexec/program_loader.hpp"

namespace stillboot::kexec {
namespace {

std::optional<long> number_in(const Root& root, std::string_view path) {
    const auto text = root.read_attribute(path);
    long value = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) {
        return std::nullopt;
    }
    return value;
}

// "none [integrity] confidentiality" -> "integrity"
std::string selected_word(const std::string& text) {
    const std::size_t open = text.find('[');
    const std::size_t close = text.find(']');
    return open == text.npos || close == text.npos || close < open ? std::string("none")
                                                                   : text.substr(open + 1, close - open - 1);
}

bool has_boot_capability() {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    return ::syscall(SYS_capget, &header, &data) != 0 || (data[0].effective & (1U << CAP_SYS_BOOT)) != 0;
}

}  // namespace

int call_kexec_file_load(const LoadOrder& order) {
    const bool with_initrd = order.initrd >= 0 && !order.trial;
    const std::size_t length = order.command_line.size() + 1;  // the NUL counts
    return ::syscall(SYS_kexec_file_load, order.kernel, with_initrd ? order.initrd : -1, length,
                     order.command_line.c_str(), with_initrd ? 0UL : KEXEC_FILE_NO_INITRAMFS) == 0
               ? 0
               : errno;
}

LoadRestrictions read_load_restrictions(const Root& root) {
    LoadRestrictions restrictions;
    restrictions.load_disabled = number_in(root, "/proc/sys/kernel/kexec_load_disabled").value_or(0) != 0;
    const auto limit = number_in(root, "/proc/sys/kernel/kexec_load_limit_reboot");
    if (limit && *limit >= 0) {
        restrictions.calls_left = static_cast<unsigned>(*limit);
    }
    if (const auto lockdown = root.read_attribute("/sys/kernel/security/lockdown")) {
        restrictions.lockdown = selected_word(*lockdown);
    }
    restrictions.may_boot = has_boot_capability();
    return restrictions;
}

Result<LoadedBy> SystemLoader::load_unconfirmed(const LoadOrder& order) {
    // kexec_file_load takes no devicetree; the program's kexec_load does.
    const int failure = order.devicetree >= 0 ? ENOTSUP : file_load_(order);
    if (failure == 0) {
        return LoadedBy::kernel;
    }
    const auto restrictions = read_load_restrictions(root_);
    if (!fallback_is_legitimate(failure)) {
        return explain_load_error(failure, order, restrictions);
    }
    if (restrictions.forbid_kexec_load()) {
        return restrictions.lockdown != "none"
                   ? Error::from_errno(failure, "kexec.fallback_locked_down",
                                       {{"format", to_word(order.format)}, {"lockdown", restrictions.lockdown}})
                   : explain_load_error(EPERM, order, restrictions);
    }
    if (auto loaded = load_by_program(order, failure, runner_, host_architecture()); !loaded) {
        return loaded.error();
    }
    return LoadedBy::program;
}

Result<LoadedBy> SystemLoader::load(const LoadOrder& order) {
    const auto by = load_unconfirmed(order);
    if (!by) {
        return by.error();
    }
    const auto confirmed = loaded();
    if (!confirmed) {
        return confirmed.error();
    }
    return *confirmed ? Result<LoadedBy>(*by) : Result<LoadedBy>(Error("kexec.not_confirmed"));
}

Result<void> SystemLoader::unload() {
    if (::syscall(SYS_kexec_file_load, -1, -1, 0UL, nullptr, KEXEC_FILE_UNLOAD) == 0) {
        return {};
    }
    // A kernel without kexec_file_load unloads by a load of no segments.
    if (errno == ENOSYS && ::syscall(SYS_kexec_load, 0UL, 0UL, nullptr, 0UL) == 0) {
        return {};
    }
    return Error::from_errno(errno, "kexec.unload_failed");
}

Result<bool> SystemLoader::loaded() {
    for (const std::string_view path : {"/sys/kernel/kexec_loaded", "/sys/kernel/kexec/loaded"}) {
        if (const auto value = number_in(root_, path)) {
            return *value != 0;
        }
    }
    return Error("kexec.state_unknown", {{"path", "/sys/kernel/kexec_loaded"}});
}

std::optional<unsigned> SystemLoader::calls_left() {
    return read_load_restrictions(root_).calls_left;
}

Error SystemLoader::jump() {
    const auto ready = loaded();
    if (ready && !*ready) {
        return Error("kexec.nothing_loaded");
    }
    ::syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, nullptr);
    return Error::from_errno(errno, "kexec.jump_failed");
}

Result<std::uint64_t> available_memory(const Root& root) {
    const auto text = root.read_attribute("/proc/meminfo");
    if (!text) {
        return text.error();
    }
    constexpr std::string_view field = "MemAvailable:";
    const std::size_t at = text->find(field);
    std::uint64_t kib = 0;
    if (at != text->npos) {
        const std::size_t digits = text->find_first_not_of(' ', at + field.size());
        if (digits != text->npos) {
            std::from_chars(text->data() + digits, text->data() + text->size(), kib);
        }
    }
    if (kib == 0) {
        return Error("kexec.state_unknown", {{"path", "/proc/meminfo"}});
    }
    return kib * 1024;
}

Result<void> check_memory(const Root& root, std::uint64_t kernel_bytes, std::uint64_t initrd_bytes) {
    constexpr std::uint64_t reserve_bytes = std::uint64_t{32} << 20;  // page tables, purgatory, and us to go on
    const auto available = available_memory(root);
    if (!available) {
        return available.error();
    }
    const std::uint64_t needed = 2 * (kernel_bytes + initrd_bytes) + reserve_bytes;
    if (needed > *available) {
        return Error("kexec.memory_short", {{"needed_bytes", needed}, {"available_bytes", *available}});
    }
    return {};
}

}  // namespace stillboot::kexec
