// SPDX-License-Identifier: Apache-2.0
// File system images made for one test, and whether this machine lets us look into them.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "config/base/process.hpp"
#include "daemon/probe/mount_view.hpp"
#include "tests/temporary_tree.hpp"

namespace stillboot::test {

inline bool run(std::vector<std::string> argv) {
    SystemProcessRunner runner;
    Command command;
    command.argv = std::move(argv);
    command.deadline = std::chrono::minutes(1);
    const auto outcome = runner.run(command);
    return outcome && outcome->ok();
}

/// An empty string, or why images cannot be mounted here (said by the tests that are skipped for it).
inline std::string why_no_mounts() {
    if (::geteuid() != 0) {
        return "needs root";
    }
    if (::access("/dev/loop-control", R_OK | W_OK) != 0) {
        return "needs /dev/loop-control";
    }
    const UniqueFd probe(::open("/dev/zero", O_RDONLY));
    return run({"unshare", "-m", "true"}) ? "" : "needs to make mount namespaces";
}

inline std::string make_empty_image(const TemporaryTree& tree, const std::string& name, off_t size_bytes) {
    const std::string path = (tree.path() / name).string();
    const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    return ::ftruncate(file.get(), size_bytes) == 0 ? path : std::string();
}

inline constexpr std::string_view one_entry = "title One\nlinux /vmlinuz\ninitrd /initrd.img\noptions quiet\n";

/// An ext4 image of 16 MiB that holds /loader/entries/one.conf (mode 0600) and /vmlinuz (200,000 bytes).
inline std::string make_ext4(const TemporaryTree& tree, const std::string& name) {
    const TemporaryTree content;
    content.file("loader/entries/one.conf", one_entry);
    content.file("vmlinuz", std::string(200'000, 'k'));
    ::chmod((content.path() / "loader/entries/one.conf").c_str(), 0600);
    const std::string path = make_empty_image(tree, name, off_t{16} << 20);
    return run({"mkfs.ext4", "-q", "-F", "-d", content.path().string(), path}) ? path : std::string();
}

}  // namespace stillboot::test
