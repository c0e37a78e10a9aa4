// SPDX-License-Identifier: Apache-2.0
// Boot Loader Specification, type 1: loader/entries/*.conf and loader/loader.conf.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/model/diagnostic.hpp"
#include "config/parse/file_source.hpp"

namespace stillboot {

struct BlsOptions {
    /// Where the entries are, on `device`.
    std::string directory = "/loader/entries";
    DeviceRef device;
    /// The file name of the one entry to read; empty: all.
    std::string only;
    /// Put before a path of an entry that is not there as written: "/boot" where the entries are in
    /// /boot/loader/entries of a root file system, but were written for a partition of their own.
    std::string path_prefix;
    /// loader.conf, which names the default; none is read where it is empty.
    std::string loader_conf = "/loader/loader.conf";
    /// Whether an option is marked as the default: GRUB's blscfg has a selection of its own.
    bool select_default = true;
    /// Entries for another architecture are left out, and said. In the specification's words ("x64", "aa64").
    std::string architecture = native_bls_architecture();
    /// Variable expansion of the values, as GRUB's blscfg does it. What comes back for `initrd` is split at
    /// blanks. Without it, a value that holds a variable is said.
    std::function<std::string(std::string_view)> expand;

    [[nodiscard]] static std::string native_bls_architecture();
};

/// Reads the entries of a directory, in the order of the specification. Each option's id is the entry's name.
/// Limits: 64 KiB an entry, 1000 entries; what is beyond is said.
/// Source: uapi-group.org, "Boot Loader Specification".
[[nodiscard]] Parsed parse_bls(FileSource& files, const BlsOptions& options);

}  // namespace stillboot
