// SPDX-License-Identifier: Apache-2.0
// The steps of confinement in their order.
#include "daemon/probe/confined_view.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include "daemon/probe/mount_view.hpp"

namespace stillboot::probe {
namespace {

Error unreadable(int error_number, const std::string& node) {
    return Error::from_errno(error_number, "probe.device_unreadable", {{"device", node}});
}

Result<UniqueFd> open_device(const std::string& node) {
    UniqueFd device(::open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat info = {};
    if (!device || ::fstat(device.get(), &info) != 0) {
        return unreadable(errno, node);
    }
    if (!S_ISBLK(info.st_mode) && !S_ISREG(info.st_mode)) {
        return unreadable(ENOTBLK, node);
    }
    return device;
}

Result<UniqueFd> mount_view(const UniqueFd& device, const FileSystem& system) {
    auto loop = make_loop_view(device.get());
    if (!loop) {
        return loop.error();
    }
    // The mount holds the loop device from here; with the descriptor gone it goes when the mount goes.
    return mount_detached(loop->node, system.type);
}

Result<void> confine(const UniqueFd& view, const Layers& layers) {
    Result<void> done;
    if (layers.root) {
        done = enter_root(view.get());
    }
    if (done && layers.capabilities) {
        done = keep_capabilities(0);
    }
    if (done && layers.system_calls) {
        done = allow_only(Calls::read_files);
    }
    return done;
}

}  // namespace

Result<Look> look_into(const std::string& node, const Limits& limits, const Layers& layers) {
    if (auto limited = limit_process(limits); !limited) {
        return limited.error();
    }
    auto device = open_device(node);
    if (!device) {
        return device.error();
    }
    constexpr std::uint64_t for_mounting = capability_bit(CAP_SYS_ADMIN) | capability_bit(CAP_SYS_CHROOT);
    if (auto kept = keep_capabilities(for_mounting); !kept) {
        return kept.error();
    }
    auto identity = identify_confined(device->get(), node);
    if (!identity) {
        return identity.error();
    }
    if (auto* container = std::get_if<Container>(&*identity)) {
        return Look(std::move(*container));
    }
    if (auto* nothing = std::get_if<Nothing>(&*identity)) {
        return Look(std::move(*nothing));
    }
    auto& system = std::get<FileSystem>(*identity);
    if (auto left = leave_mount_namespace(); !left) {
        return left.error();
    }
    auto view = mount_view(*device, system);
    if (!view) {
        return view.error();
    }
    device->reset();
    if (auto confined = confine(*view, layers); !confined) {
        return confined.error();
    }
    return Look(View{std::move(system), Root(std::move(*view))});
}

Result<void> confine_to_open_files(const Limits& limits) {
    if (auto limited = limit_process(limits); !limited) {
        return limited;
    }
    if (auto bare = keep_capabilities(0); !bare) {
        return bare;
    }
    return allow_only(Calls::memory_only);
}

}  // namespace stillboot::probe
