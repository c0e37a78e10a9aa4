// SPDX-License-Identifier: Apache-2.0
// A state store of two copies on something that may hang: every call has a deadline.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/state/copies.hpp"
#include "quiesce/state_store.hpp"

namespace stillboot::state {

/// What both back ends are. A store that hangs in the kernel, or in firmware, is given up for good. Thread: one.
class TwoCopyStore : public quiesce::StateStore {
public:
    /// Takes hold of the places; owns all that it touches, for it may run on after everybody has gone.
    using Open = std::function<Result<std::unique_ptr<CopyPlaces>>()>;

    static constexpr std::chrono::milliseconds usual_deadline = std::chrono::seconds(15);

    /// @param place "/dev/sda3", "EFI variables"
    TwoCopyStore(std::string place, Open open, std::chrono::milliseconds deadline);
    ~TwoCopyStore() override;
    /// @error state.hangs (place), those of `open` and of Copies
    Result<void> write(std::string_view record) override;
    Result<std::optional<std::string>> read() override;
    Result<void> clear() override { return write({}); }
    [[nodiscard]] std::vector<Message> damage() override;
    [[nodiscard]] std::string place() const override { return place_; }
    void close() override;

private:
    struct Shared;

    std::string place_;
    std::chrono::milliseconds deadline_;
    std::shared_ptr<Shared> shared_;
};

}  // namespace stillboot::state
