// SPDX-License-Identifier: Apache-2.0
// A mount for one rename.
#include "daemon/state/entry_files.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>

#include "config/base/rename_file.hpp"
#include "config/base/within.hpp"

namespace stillboot::state {
namespace {

struct Driver {
    std::string_view type;
    const char* driver;
};

// What $BOOT is on, by the specification or by habit. Each driver in this list is one that a scan mounts, too.
constexpr Driver drivers[] = {
    {"vfat", "vfat"}, {"ext2", "ext4"}, {"ext3", "ext4"}, {"ext4", "ext4"}, {"xfs", "xfs"},
};

Result<void> act_on(const Mount& mount, const std::string& node, const std::string& filesystem,
                    const std::function<Result<void>(const Root&)>& act) {
    int why = 0;
    for (const Driver& each : drivers) {
        if (!filesystem.empty() && filesystem != each.type) {
            continue;
        }
        UniqueFd mounted = mount(node, each.driver);
        if (mounted) {
            return act(Root(std::move(mounted)));
        }
        why = errno;
    }
    return Error::from_errno(why, "state.entry_mount_failed", {{"device", node}});
}

}  // namespace

bool is_writable_type(std::string_view filesystem) {
    return std::any_of(std::begin(drivers), std::end(drivers),
                       [&](const Driver& each) { return each.type == filesystem; });
}

Result<void> on_writable(const std::string& node, const std::string& filesystem,
                         std::function<Result<void>(const Root&)> act, std::chrono::milliseconds deadline,
                         Mount mount) {
    if (!filesystem.empty() && !is_writable_type(filesystem)) {
        return Error("state.not_writable", {{"type", filesystem}});
    }
    const Error hangs("state.entry_hangs", {{"device", node}});
    const auto given_up = std::make_shared<std::atomic<bool>>(false);
    const auto unless_given_up = [given_up, hangs, act = std::move(act)](const Root& root) {
        return *given_up ? Result<void>(hangs) : act(root);  // what is said not to be done must not be done later
    };
    auto outcome =
        call_within<Result<void>>(deadline, [mount = std::move(mount), node, filesystem, unless_given_up] {
            return act_on(mount, node, filesystem, unless_given_up);
        });
    *given_up = true;
    return outcome ? std::move(*outcome) : hangs;
}

Result<void> rename_entry(const Root& root, const std::string& directory, const std::string& from,
                          const std::string& to) {
    const std::string path = directory + "/" + from;
    if (!root.lstat(path) && root.lstat(directory + "/" + to)) {
        return {};
    }
    return rename_file(root, path, to);
}

}  // namespace stillboot::state
