// SPDX-License-Identifier: Apache-2.0
// Reads mount tables.
#include "quiesce/mounts.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "quiesce/holders.hpp"
#include "quiesce/inventory.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::size_t max_table_bytes = 64 * 1024 * 1024;  // thousands of containers, with long options

bool says_read_only(std::string_view options) {
    const auto words = split(options, ",");
    return std::find(words.begin(), words.end(), "ro") != words.end();
}

// The log and the real-time part of XFS, the journal of reiserfs.
std::vector<std::string> further_devices(std::string_view super_options) {
    std::vector<std::string> nodes;
    for (const auto& word : split(super_options, ",")) {
        for (const std::string_view key : {"logdev=", "rtdev=", "jdev="}) {
            if (word.starts_with(key)) {
                nodes.push_back(unescape_octal(std::string_view(word).substr(key.size())));
            }
        }
    }
    return nodes;
}

// id parent major:minor root mount-point options [fields] - type source super-options
void add_table(std::string_view text, const std::string& holder, std::vector<Mount>& mounts) {
    for (const auto& line : split(text, "\n")) {
        const auto fields = split(line, " ");
        const auto dash = std::find(fields.begin(), fields.end(), "-");
        if (fields.size() < 6 || fields.end() - dash < 3) {
            continue;
        }
        Mount mount;
        mount.number = fields[2];
        mount.where = unescape_octal(fields[4]);
        mount.type = *(dash + 1);
        mount.source = unescape_octal(*(dash + 2));
        mount.read_only = says_read_only(fields[5]);
        if (fields.end() - dash > 3) {
            mount.file_system_read_only = says_read_only(*(dash + 3));
            mount.also = further_devices(*(dash + 3));
        }
        mount.holder = holder;
        mounts.push_back(std::move(mount));
    }
}

// A process may end while it is looked at, and others than root may not look at each.
bool is_none_of_ours(int error_number) {
    constexpr std::array<int, 5> numbers = {ENOENT, ESRCH, EINVAL, EACCES, EPERM};
    return std::find(numbers.begin(), numbers.end(), error_number) != numbers.end();
}

}  // namespace

Result<std::string> read_table(const Root& root, const std::string& path) {
    auto text = root.read_file(path, max_table_bytes);
    if (!text) {
        const Error& why = text.error();
        return Error::from_errno(why.error_number(), "quiesce.unreadable",
                                 {{"path", path}, {"reason", why.sentence()}});
    }
    return text;
}

std::string unescape_octal(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            out.push_back(static_cast<char>(parse_number(text.substr(i + 1, 3), 8)));
            i += 3;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

Result<std::vector<Mount>> read_own_mounts(const Root& root) {
    const auto text = read_table(root, "/proc/self/mountinfo");
    if (!text) {
        return text.error();
    }
    std::vector<Mount> mounts;
    add_table(*text, "", mounts);
    return mounts;
}

Result<std::vector<Mount>> read_mounts(const Root& root) {
    auto mounts = read_own_mounts(root);
    if (!mounts) {
        return mounts;
    }
    std::set<std::string> seen = {root.read_link("/proc/self/ns/mnt").value_or("")};
    for (const auto& pid : processes(root)) {
        const auto name_space = root.read_link("/proc/" + pid + "/ns/mnt");
        if (name_space && seen.insert(*name_space).second) {
            const auto text = read_table(root, "/proc/" + pid + "/mountinfo");
            if (text) {
                add_table(*text, Holder{pid, command_of(root, pid), {}}.words(), *mounts);
            } else if (!is_none_of_ours(text.error().error_number())) {
                return text.error();
            }
        }
    }
    return mounts;
}

const Mount* mount_of_file(const std::vector<Mount>& mounts, std::string_view file) {
    const Mount* best = nullptr;
    for (const auto& mount : mounts) {
        const bool holds = mount.where == "/" || is_below(file, mount.where);
        if (mount.holder.empty() && holds && (best == nullptr || mount.where.size() >= best->where.size())) {
            best = &mount;
        }
    }
    return best;
}

}  // namespace stillboot::quiesce
