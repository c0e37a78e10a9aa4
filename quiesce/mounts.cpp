// SPDX-License-Identifier: Apache-2.0
// Reads mount tables.
#include "quiesce/mounts.hpp"

#include <algorithm>
#include <set>

#include "quiesce/holders.hpp"
#include "quiesce/inventory.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::size_t max_table_bytes = 4 * 1024 * 1024;
constexpr std::size_t max_name_spaces = 1024;

bool says_read_only(std::string_view options) {
    const auto words = split(options, ",");
    return std::find(words.begin(), words.end(), "ro") != words.end();
}

// id parent major:minor root mount-point options [fields] - type source super-options
void add_table(const Root& root, const std::string& pid, const std::string& holder, std::vector<Mount>& mounts) {
    const auto text = root.read_file("/proc/" + pid + "/mountinfo", max_table_bytes);
    for (const auto& line : split(text ? *text : std::string(), "\n")) {
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
        mount.file_system_read_only = fields.end() - dash > 3 && says_read_only(*(dash + 3));
        mount.holder = holder;
        mounts.push_back(std::move(mount));
    }
}

}  // namespace

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

std::vector<Mount> read_own_mounts(const Root& root) {
    std::vector<Mount> mounts;
    add_table(root, "self", "", mounts);
    return mounts;
}

std::vector<Mount> read_mounts(const Root& root) {
    std::vector<Mount> mounts = read_own_mounts(root);
    std::set<std::string> seen = {root.read_link("/proc/self/ns/mnt").value_or("")};
    for (const auto& pid : processes(root)) {
        const auto name_space = root.read_link("/proc/" + pid + "/ns/mnt");
        if (name_space && seen.size() <= max_name_spaces && seen.insert(*name_space).second) {
            add_table(root, pid, Holder{pid, command_of(root, pid), {}}.words(), mounts);
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
