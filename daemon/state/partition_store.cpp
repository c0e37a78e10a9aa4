// SPDX-License-Identifier: Apache-2.0
// A detached mount with two files, on the file system that is meant.
#include "daemon/state/partition_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "daemon/state/mount.hpp"
#include "daemon/state/superblock.hpp"
#include "quiesce/block_place.hpp"

namespace stillboot::state {
namespace {

std::string file_name(int which) {
    return "stillboot." + std::to_string(which);
}

constexpr std::chrono::milliseconds pause{100};

}  // namespace

std::string FilePlaces::name(int which) const {
    return "file " + file_name(which);
}

Result<std::string> FilePlaces::read(int which) const {
    const UniqueFd file(::openat(directory_.get(), file_name(which).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file && errno == ENOENT) {
        return std::string();
    }
    std::string bytes(copy_bytes, '\0');
    const ssize_t count = file ? ::pread(file.get(), bytes.data(), bytes.size(), 0) : -1;
    if (count < 0) {
        return Error::from_errno(errno, "state.read_failed", {{"copy", name(which)}});
    }
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
}

// Written whole at once, zeros to the end: its blocks are there from the first time on.
Result<void> FilePlaces::write(int which, std::string bytes) const {
    bytes.resize(copy_bytes);
    const UniqueFd file(
        ::openat(directory_.get(), file_name(which).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    const ssize_t count = file ? ::pwrite(file.get(), bytes.data(), bytes.size(), 0) : -1;
    if (count >= 0 && count < static_cast<ssize_t>(bytes.size())) {
        // Its zeros alone may be missing: what is said to be not kept must not be read later.
        (void)::ftruncate(file.get(), 0);
        errno = ENOSPC;
    } else if (count >= 0 && ::fsync(file.get()) == 0) {
        return {};
    }
    return write_error(errno, name(which));
}

// Names change while devices are bound again, and udev's links come later: nothing is mounted before its
// superblock says that it is the store, and what is mounted is what was looked at.
class PartitionStore::Place {
public:
    Place(const Root& root, std::string node, std::string_view label, std::chrono::milliseconds patience)
        : root_(UniqueFd(::fcntl(root.fd(), F_DUPFD_CLOEXEC, 0))),
          node_(std::move(node)),
          label_(label),
          patience_(patience) {}

    Result<std::unique_ptr<CopyPlaces>> open() {
        const auto until = std::chrono::steady_clock::now() + (known_ ? patience_ : std::chrono::milliseconds(0));
        auto device = look();
        while (!device && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(pause);
            device = look();
        }
        if (!device) {
            return device.error();
        }
        UniqueFd mounted = mount_writable("/proc/self/fd/" + std::to_string(device->get()), known_->type);
        if (!mounted) {
            return Error::from_errno(errno, "state.mount_failed", {{"device", node_}});
        }
        return std::unique_ptr<CopyPlaces>(std::make_unique<FilePlaces>(std::move(mounted)));
    }

private:
    [[nodiscard]] bool is_meant(const std::optional<Superblock>& found) const {
        return found && (known_ ? *found == *known_ : label_.empty() || found->label == label_);
    }

    /// The device, open. A store that was there once is where it was then, whatever it is called now.
    Result<UniqueFd> look() {
        if (known_) {
            node_ = quiesce::node_at(root_, where_, node_).value_or(node_);
        }
        auto device = root_.open_file(node_, O_RDONLY);
        if (!device) {
            return Error::from_errno(device.error().error_number(), "state.mount_failed", {{"device", node_}});
        }
        auto found = read_superblock(device->get());
        if (!is_meant(found)) {
            return Error("state.other_file_system", {{"device", node_}});
        }
        if (!known_) {
            where_ = quiesce::place_of(root_, node_);
            known_ = std::move(found);
        }
        return device;
    }

    Root root_;
    std::string node_;
    std::string label_;
    std::chrono::milliseconds patience_;
    std::optional<Superblock> known_;  ///< of the store, once it was there
    quiesce::BlockPlace where_;
};

PartitionStore::PartitionStore(const Root& root, const std::string& node, std::string_view label,
                               std::chrono::milliseconds deadline)
    : TwoCopyStore(
          node, [place = std::make_shared<Place>(root, node, label, deadline * 2 / 3)] { return place->open(); },
          deadline) {}

}  // namespace stillboot::state
