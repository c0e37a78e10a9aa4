// SPDX-License-Identifier: Apache-2.0
// The state store on a partition of its own: two copies in files, the older one overwritten in place.
#pragma once

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

/// On a block device with a vfat or ext4 file system that is made for it and labelled STILLSTATE. It is mounted
/// for us alone, in no mount table, from the first use to close(), which writes nothing.
class PartitionStore final : public TwoCopyStore {
public:
    /// @param node "/dev/sda3"
    /// @error of its calls: state.mount_failed (device, errno), and those of TwoCopyStore
    explicit PartitionStore(const std::string& node, std::chrono::milliseconds deadline = usual_deadline);
    [[nodiscard]] std::string device() const override { return place(); }
};

}  // namespace stillboot::state
