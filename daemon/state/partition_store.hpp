// SPDX-License-Identifier: Apache-2.0
// The state store on a partition of its own: two copies in files, the older one overwritten in place.
#pragma once

#include "config/base/root.hpp"
#include "config/base/unique_fd.hpp"
#include "daemon/state/two_copy_store.hpp"

namespace stillboot::state {

/// Two files in a directory. Every write is synced before it returns; a file has its full size from the first
/// time on, so that a later write changes nothing but its bytes.
class FilePlaces final : public CopyPlaces {
public:
    static constexpr std::size_t copy_bytes = 256 * 1024;

    explicit FilePlaces(UniqueFd directory) : directory_(std::move(directory)) {}
    [[nodiscard]] Result<std::string> read(int which) const override;
    [[nodiscard]] Result<void> write(int which, std::string bytes) const override;
    [[nodiscard]] std::string name(int which) const override;
    [[nodiscard]] std::size_t max_bytes() const override { return copy_bytes; }

private:
    UniqueFd directory_;
};

/// On a block device with a vfat or ext4 file system that is made for it. It is mounted for us alone, in no mount
/// table, from the first use to close(), which writes nothing. What is asked of it after close() finds it where it
/// was, by whatever name, and waits some seconds for it.
class PartitionStore final : public TwoCopyStore {
public:
    /// @param node "/dev/sda3"  @param label of its file system, where it was chosen by that; else empty
    /// @error of its calls: state.mount_failed (device, errno), state.other_file_system (device), and those of
    /// TwoCopyStore
    PartitionStore(const Root& root, const std::string& node, std::string_view label,
                   std::chrono::milliseconds deadline = usual_deadline);
    [[nodiscard]] std::string device() const override { return place(); }
    [[nodiscard]] std::size_t max_bytes() const override { return FilePlaces::copy_bytes; }

private:
    class Place;
};

}  // namespace stillboot::state
