// SPDX-License-Identifier: Apache-2.0
// The state store in the variables of EFI firmware: two copies, no device that would have to be let go of.
#pragma once

#include "daemon/platform/efi_variables.hpp"
#include "daemon/state/two_copy_store.hpp"

namespace stillboot::state {

/// Two variables of our own vendor.
class VariablePlaces final : public CopyPlaces {
public:
    /// Firmware has about 64 KiB for all variables of the machine, and needs room for a third copy while it writes
    /// one. Where it takes less in one variable it says so, which is state.too_large as well.
    static constexpr std::size_t copy_bytes = std::size_t{8} * 1024;

    explicit VariablePlaces(std::shared_ptr<const platform::EfiVariables> variables)
        : variables_(std::move(variables)) {}
    [[nodiscard]] Result<std::string> read(int which) const override;
    [[nodiscard]] Result<void> write(int which, std::string bytes) const override;
    [[nodiscard]] std::string name(int which) const override;
    [[nodiscard]] std::size_t max_bytes() const override { return copy_bytes; }

private:
    std::shared_ptr<const platform::EfiVariables> variables_;
};

/// It can be written to until the jump, so that the whole report of the hand-over is in it.
class EfiStore final : public TwoCopyStore {
public:
    static constexpr std::string_view words = "EFI variables";

    explicit EfiStore(platform::EfiVariables variables, std::chrono::milliseconds deadline = usual_deadline);
    [[nodiscard]] std::string device() const override { return {}; }
    [[nodiscard]] std::size_t max_bytes() const override { return VariablePlaces::copy_bytes; }
};

}  // namespace stillboot::state
