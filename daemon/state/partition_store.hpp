// SPDX-License-Identifier: Apache-2.0
// The state store on a partition of its own: two copies in files, the older one overwritten in place.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "quiesce/state_store.hpp"

namespace stillboot::state {

/// A directory with the two copies. Every write is synced before it returns; a file has its full size from the
/// first time on, so that a later write changes nothing but its bytes.
class CopiesInDirectory {
public:
    static constexpr std::size_t copy_bytes = 256 * 1024;

    explicit CopiesInDirectory(UniqueFd directory) : directory_(std::move(directory)) {}
    /// @error state.too_large, state.newer_format, state.write_failed (device, errno)
    [[nodiscard]] Result<void> write(std::string_view text) const;
    /// The newest whole copy, or nothing. @error state.newer_format, state.read_failed
    [[nodiscard]] Result<std::optional<std::string>> read() const;
    /// What is damaged: state.copy_damaged (file), state.copies_damaged. @error state.read_failed
    [[nodiscard]] Result<std::vector<Message>> damage() const;

private:
    UniqueFd directory_;
};

/// On a block device with a vfat or ext4 file system that is made for it and labelled STILLSTATE. It is mounted
/// for us alone, in no mount table, from the first use to close(). Every call has a deadline: a store that hangs
/// in the kernel is given up for good. Thread: one.
class PartitionStore final : public quiesce::StateStore {
public:
    /// @param node "/dev/sda3"
    explicit PartitionStore(std::string node, std::chrono::milliseconds deadline = std::chrono::seconds(15));
    ~PartitionStore() override;
    /// @error state.mount_failed (device, errno), state.hangs (device), and those of CopiesInDirectory
    Result<void> write(std::string_view record) override;
    Result<std::optional<std::string>> read() override;
    Result<void> clear() override { return write({}); }
    [[nodiscard]] std::vector<Message> damage() override;
    [[nodiscard]] std::string device() const override { return node_; }
    void close() override;

private:
    struct Shared;

    std::string node_;
    std::chrono::milliseconds deadline_;
    std::shared_ptr<Shared> shared_;
};

/// The node of the machine's state store: what the setting names ("none" for no store), else the file system that
/// is labelled STILLSTATE on a disk that is not removable. Empty where there is none.
[[nodiscard]] std::string find_store(const Root& root, const std::string& setting);

}  // namespace stillboot::state
