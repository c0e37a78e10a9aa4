// SPDX-License-Identifier: Apache-2.0
// A store of two copies, wherever they lie: which one is read, which one is overwritten, what is damaged.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.hpp"

namespace stillboot::state {

/// The port: where the two lie. Both are numbered, 0 and 1.
class CopyPlaces {
public:
    virtual ~CopyPlaces() = default;
    /// The bytes that are there, with whatever stands behind a copy; empty where it was never written.
    /// @error state.read_failed (copy, errno)
    [[nodiscard]] virtual Result<std::string> read(int which) const = 0;
    /// Replaces one, in such a way that a power cut harms it alone; on the medium before it returns.
    /// @error those of write_error()
    [[nodiscard]] virtual Result<void> write(int which, std::string bytes) const = 0;
    /// "file stillboot.0", completing "the state store's …".
    [[nodiscard]] virtual std::string name(int which) const = 0;
    [[nodiscard]] virtual std::size_t max_bytes() const = 0;
};

/// state.full (copy) where there is no space, else state.write_failed (copy, errno).
[[nodiscard]] Error write_error(int error_number, const std::string& copy);

class Copies {
public:
    explicit Copies(std::unique_ptr<CopyPlaces> places) : places_(std::move(places)) {}
    /// Overwrites the older copy, so that a write that fails or is cut off leaves the other one. What is there
    /// already, undamaged, is not written again: flash wears.
    /// @error state.too_large (bytes, limit), state.newer_format, and those of the places
    [[nodiscard]] Result<void> write(std::string_view text) const;
    /// The newest whole copy, or nothing. @error state.newer_format, state.read_failed
    [[nodiscard]] Result<std::optional<std::string>> read() const;
    /// What is damaged: state.copy_damaged (copy), state.copies_damaged. @error state.read_failed
    [[nodiscard]] Result<std::vector<Message>> damage() const;

private:
    struct Found;

    [[nodiscard]] Result<Found> find() const;

    std::unique_ptr<CopyPlaces> places_;
};

}  // namespace stillboot::state
