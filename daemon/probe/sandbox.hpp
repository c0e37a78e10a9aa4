// SPDX-License-Identifier: Apache-2.0
// The layers around a process that reads what others wrote: limits, capabilities, a root of its own, system calls.
#pragma once

#include <cstdint>

#include "config/base/result.hpp"

namespace stillboot::probe {

/// Built with AddressSanitizer, whose shadow memory no limit of address space would leave room for.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool address_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif
#else
inline constexpr bool address_sanitizer = false;
#endif

/// What a helper may use, beside its deadline, which its parent holds.
struct Limits {
    std::uint64_t memory_bytes = std::uint64_t{512} * 1024 * 1024;  ///< address space
    std::uint64_t cpu_seconds = 60;
    /// The largest file it may write: its memfd. Everything else that it can reach is read-only.
    std::uint64_t file_bytes = std::uint64_t{32} * 1024 * 1024;
    std::uint64_t open_files = 64;
};

/// Which system calls stay.
enum class Calls {
    memory_only,  ///< descriptors that are open already, memory, clocks, and an end
    read_files,   ///< and opening and listing files below the root
};

/// Dies with its parent, gains no privileges by exec, cannot be traced or dumped, and has its rlimits.
/// @error probe.sandbox_failed
[[nodiscard]] Result<void> limit_process(const Limits& limits);

/// Gives up every capability but those of the mask (bit n: capability n), for good: bounding and ambient sets
/// too, and being uid 0 brings none back. @error probe.sandbox_failed
[[nodiscard]] Result<void> keep_capabilities(std::uint64_t mask);

[[nodiscard]] constexpr std::uint64_t capability_bit(int capability) {
    return std::uint64_t{1} << capability;
}

/// Makes a directory the root and the working directory. Needs CAP_SYS_CHROOT. @error probe.sandbox_failed
[[nodiscard]] Result<void> enter_root(int directory);

/// From here on every system call that is not allowed fails with ENOSYS, on every architecture the kernel runs.
/// ENOSYS, so that a C library that tries a newer call first falls back, and so that it can be told from EPERM,
/// which is a capability's refusal. @error probe.sandbox_failed
[[nodiscard]] Result<void> allow_only(Calls calls);

}  // namespace stillboot::probe
