// SPDX-License-Identifier: Apache-2.0
// What a scan of one device found: options, a container that must be opened first, or nothing with the reason.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/model/diagnostic.hpp"

namespace stillboot {

/// A device that others must open before its contents can be read.
struct Container {
    enum class Kind { luks, lvm_pv, md_member, multi_device_btrfs };
    Kind kind = Kind::luks;
    Message reason;  ///< what it is, and that this build cannot open it yet
};

/// "luks", "lvm", "md" or "btrfs". Lifetime: static.
[[nodiscard]] std::string_view to_word(Container::Kind kind);

struct Nothing {
    Message reason;
};

using Finding = std::variant<std::vector<BootOption>, Container, Nothing>;

/// What came of a file that a person named, beside the usual places.
struct NamedFile {
    std::string path;
    std::vector<std::string> options;     ///< ids of the options that it added
    std::vector<Diagnostic> diagnostics;  ///< what is wrong in it
    std::optional<Message> reason;        ///< why it added none

    bool operator==(const NamedFile&) const = default;
};

struct ScanResult {
    Finding finding;
    std::vector<Diagnostic> diagnostics;
    std::vector<NamedFile> named;  ///< in the order in which they were asked for
};

}  // namespace stillboot
