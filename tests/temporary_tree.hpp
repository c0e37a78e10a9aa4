// SPDX-License-Identifier: Apache-2.0
// A directory for one test, gone with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "config/base/root.hpp"

namespace stillboot::test {

class TemporaryTree {
public:
    TemporaryTree() {
        std::string pattern = (std::filesystem::temp_directory_path() / "stillboot-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    TemporaryTree(const TemporaryTree&) = delete;
    TemporaryTree& operator=(const TemporaryTree&) = delete;
    ~TemporaryTree() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] Root root() const { return Root::open(path_.string()).value(); }

    /// Writes a file, making its directories.
    void file(std::string_view name, std::string_view text) const {
        const auto full = path_ / name;
        std::filesystem::create_directories(full.parent_path());
        std::ofstream(full, std::ios::binary) << text;
    }
    void link(std::string_view name, std::string_view target) const {
        const auto full = path_ / name;
        std::filesystem::create_directories(full.parent_path());
        std::filesystem::create_symlink(target, full);
    }
    void directory(std::string_view name) const { std::filesystem::create_directories(path_ / name); }

private:
    std::filesystem::path path_;
};

}  // namespace stillboot::test
