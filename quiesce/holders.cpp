// SPDX-License-Identifier: Apache-2.0
// Walks /proc/PID/fd.
#include "quiesce/holders.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {

std::string Holder::words() const {
    return command + " (process " + pid + ")";
}

std::vector<std::string> processes(const Root& root) {
    const auto names = root.list("/proc");
    std::vector<std::string> pids;
    for (const auto& name : names ? *names : std::vector<std::string>{}) {
        if (name.find_first_not_of("0123456789") == name.npos) {
            pids.push_back(name);
        }
    }
    std::sort(pids.begin(), pids.end(), [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    return pids;
}

std::string command_of(const Root& root, const std::string& pid) {
    const std::string name = attribute_or_empty(root, "/proc/" + pid + "/comm");
    return name.empty() ? "?" : name;
}

std::vector<Holder> holders_of(const Root& root, const std::function<bool(std::string_view)>& wanted) {
    std::vector<Holder> found;
    std::array<char, 4096> target = {};
    for (const auto& pid : processes(root)) {
        const std::string base = "/proc/" + pid + "/fd";
        const auto directory = root.open_file(base, O_PATH | O_DIRECTORY);
        const auto names = root.list(base);
        if (!directory || !names) {
            continue;
        }
        for (const auto& name : *names) {
            const ssize_t length = ::readlinkat(directory->get(), name.c_str(), target.data(), target.size());
            const std::string_view node(target.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
            if (wanted(node)) {
                found.push_back({pid, command_of(root, pid), std::string(node)});
            }
        }
    }
    return found;
}

}  // namespace stillboot::quiesce
