// SPDX-License-Identifier: Apache-2.0
// Where the record of a hand-over is kept, so that a daemon started again, or the next kernel, finds it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"

namespace stillboot::quiesce {

/// The file system label of a partition that is a state store, and so never a boot target.
constexpr std::string_view state_store_label = "STILLSTATE";

/// The port: one record, replaced as a whole, synced before write() returns.
class StateStore {
public:
    virtual ~StateStore() = default;
    virtual Result<void> write(std::string_view record) = 0;
    /// The record, or nothing where none was written.
    virtual Result<std::optional<std::string>> read() = 0;
    virtual Result<void> clear() = 0;
    /// What of it is damaged, in words, until it is written over.
    virtual std::vector<Message> damage() { return {}; }
    /// Node or sysfs path of the device it lies on, whose chain goes last; empty for memory and NVRAM.
    [[nodiscard]] virtual std::string device() const = 0;
    /// Where it is, for a person: "/dev/sda3", "EFI variables".
    [[nodiscard]] virtual std::string place() const { return device(); }
    /// The longest record that it takes.
    [[nodiscard]] virtual std::size_t max_bytes() const { return std::string::npos; }
    /// Lets go of that device, because it goes; what is asked of the store afterwards takes hold of it again,
    /// also where its device has another name then.
    virtual void close() {}
};

/// In /run: survives the daemon, not the kernel.
class RunStateStore final : public StateStore {
public:
    static constexpr std::string_view default_path = "/run/stillboot/handover.json";
    explicit RunStateStore(const Root& root, std::string_view path = default_path) : root_(root), path_(path) {}
    /// @error base.write_failed
    Result<void> write(std::string_view record) override;
    /// @error base.read_failed, base.file_too_large (1 MiB)
    Result<std::optional<std::string>> read() override;
    Result<void> clear() override;
    [[nodiscard]] std::string device() const override { return {}; }

private:
    const Root& root_;
    std::string path_;
};

}  // namespace stillboot::quiesce
