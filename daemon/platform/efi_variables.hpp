// SPDX-License-Identifier: Apache-2.0
// The variables that EFI firmware keeps, through efivarfs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/base/result.hpp"
#include "config/base/root.hpp"

namespace stillboot::platform {

/// The vendor of all variables that are our own.
constexpr std::string_view stillboot_vendor = "316dec7c-169a-4c02-843c-55a896bfcc4a";
/// EFI_GLOBAL_VARIABLE: those that the UEFI specification itself defines (3.3).
constexpr std::string_view global_vendor = "8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// The directory of efivarfs (Documentation/filesystems/efivarfs.rst of the kernel). A variable is a file
/// NAME-VENDOR that holds four bytes of attributes and then the data; what changes one is a single write(2).
/// Blocking: each call is one of the firmware, which may take its time or never come back.
class EfiVariables {
public:
    static constexpr std::string_view directory = "/sys/firmware/efi/efivars";
    static constexpr std::size_t max_bytes = std::size_t{64} * 1024;

    /// Nothing where the firmware is not EFI, and where efivarfs is not mounted or cannot be written to.
    static std::optional<EfiVariables> open(const Root& root);

    /// The data, or nothing where there is no such variable; what is too short for attributes is all data, for it
    /// is damaged in any case. @error platform.read_failed (variable, errno)
    [[nodiscard]] Result<std::optional<std::string>> read(std::string_view name, std::string_view vendor) const;
    /// Makes or replaces a variable that outlives the power and that the running system may see.
    /// @error platform.write_failed (variable, errno); ENOSPC where the firmware's store is full, EINVAL where the
    ///   firmware takes no variable of that size
    [[nodiscard]] Result<void> write(std::string_view name, std::string_view vendor, std::string_view data) const;
    /// Also where there is none. @error platform.write_failed
    [[nodiscard]] Result<void> remove(std::string_view name, std::string_view vendor) const;

private:
    explicit EfiVariables(UniqueFd opened) : directory_(std::move(opened)) {}

    UniqueFd directory_;
};

}  // namespace stillboot::platform
