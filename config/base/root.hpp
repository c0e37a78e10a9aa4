// SPDX-License-Identifier: Apache-2.0
// A directory that stands for "/": the one way to sysfs, proc, a mounted target and our own state.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot {

/// Owns a directory descriptor; every path is resolved below it with openat2(RESOLVE_IN_ROOT), so that neither
/// `..` nor an absolute symlink of an untrusted disk leads out. Production passes "/", a test a temporary tree.
/// Paths may be written with or without a leading slash.
class Root {
public:
    /// @error base.open_failed where the directory cannot be opened.
    static Result<Root> open(const std::string& directory);
    explicit Root(UniqueFd directory) : directory_(std::move(directory)) {}

    /// Opens a path with open(2) flags (O_CLOEXEC is added). @error base.open_failed
    [[nodiscard]] Result<UniqueFd> open_file(std::string_view path, int flags, mode_t mode = 0) const;
    /// The whole file. @error base.open_failed, base.read_failed, base.file_too_large (more than max_bytes),
    /// base.not_a_file for anything that is not a regular file.
    [[nodiscard]] Result<std::string> read_file(std::string_view path, std::size_t max_bytes) const;
    /// A sysfs or proc attribute, less its trailing white space; at most 64 KiB.
    [[nodiscard]] Result<std::string> read_attribute(std::string_view path) const;
    /// One write(2) of the text to an existing file: what sysfs attributes want. @error base.write_failed
    [[nodiscard]] Result<void> write_attribute(std::string_view path, std::string_view text) const;
    /// Replaces a file: a temporary beside it, written, synced and renamed over it. @error base.write_failed
    [[nodiscard]] Result<void> replace_file(std::string_view path, std::string_view text, mode_t mode = 0644) const;
    [[nodiscard]] Result<void> make_directories(std::string_view path) const;
    [[nodiscard]] Result<void> remove_file(std::string_view path) const;
    /// The names in a directory, sorted, less "." and "..". @error base.open_failed
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view path) const;
    /// The text of a symlink. @error base.read_failed
    [[nodiscard]] Result<std::string> read_link(std::string_view path) const;
    /// lstat(2): the last component is not followed. Empty where there is nothing.
    [[nodiscard]] std::optional<struct stat> lstat(std::string_view path) const;
    /// stat(2): symlinks are followed, inside the root. Where it is empty, errno says why.
    [[nodiscard]] std::optional<struct stat> stat(std::string_view path) const;
    [[nodiscard]] bool exists(std::string_view path) const { return stat(path).has_value(); }
    /// The path with every symlink resolved, below the root and with a leading slash. @error base.open_failed
    [[nodiscard]] Result<std::string> canonical(std::string_view path) const;
    [[nodiscard]] int fd() const { return directory_.get(); }

private:
    UniqueFd directory_;
};

/// Reads a descriptor to its end. @error base.read_failed, base.file_too_large
[[nodiscard]] Result<std::string> read_all(int fd, std::size_t max_bytes, std::string_view name);
/// Writes all of a text. @error base.write_failed
[[nodiscard]] Result<void> write_all(int fd, std::string_view text, std::string_view name);

}  // namespace stillboot
