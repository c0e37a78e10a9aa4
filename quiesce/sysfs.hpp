// SPDX-License-Identifier: Apache-2.0
// Small readers of sysfs that the inventory is made of.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot::quiesce {

/// An attribute's text, or empty where it cannot be read.
[[nodiscard]] std::string attribute_or_empty(const Root& root, std::string_view path);

/// Where a symlink of sysfs leads, as a path below the root, by its text alone; empty where there is no link.
[[nodiscard]] std::string follow_link(const Root& root, std::string_view path);

/// A directory of sysfs that is opened once and read from many times. One that is not there reads as empty.
class SysfsDirectory {
public:
    SysfsDirectory(const Root& root, std::string path);

    [[nodiscard]] const std::string& path() const { return path_; }
    /// An attribute right in it, less its trailing white space, or empty; at most a page, as sysfs has it.
    [[nodiscard]] std::string attribute(const char* name) const;
    /// The text of a link right in it, or empty.
    [[nodiscard]] std::string link(const char* name) const;
    /// Where that link leads, as follow_link() does.
    [[nodiscard]] std::string follow(const char* name) const;

private:
    std::string path_;
    UniqueFd directory_;
};

/// What the disk of this directory calls itself, wherever it is; empty where it does not.
[[nodiscard]] std::string stable_name(const Root& root, const SysfsDirectory& directory);

/// True for a disk that somebody can take away: on USB, whatever it says of itself, or with a medium that comes
/// and goes. @param path of the disk in sysfs  @param removable what its attribute says
[[nodiscard]] bool is_removable(std::string_view path, std::string_view removable);

/// An entry of a directory, and when it was made, compared with others: an inode number (CreationOrder).
struct SysfsEntry {
    std::string name;
    std::uint64_t order = 0;
};

/// How a directory is listed with the order in which its entries were made. One that is not there reads as empty.
using EntryReader = std::function<std::vector<SysfsEntry>(const Root& root, const std::string& directory)>;

/// By the inode numbers that the listing itself shows: no entry is looked at. Source: fs/kernfs/dir.c,
/// kernfs_fop_readdir.
[[nodiscard]] std::vector<SysfsEntry> entries_by_inode(const Root& root, const std::string& directory);

/// The number at the start of a text, with or without "0x" in base 16; 0 where there is none.
[[nodiscard]] std::uint64_t parse_number(std::string_view text, int base);

[[nodiscard]] std::string_view last_component(std::string_view path);

/// Parts of a text between runs of the separators.
[[nodiscard]] std::vector<std::string> split(std::string_view text, std::string_view separators);

}  // namespace stillboot::quiesce
