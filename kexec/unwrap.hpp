// SPDX-License-Identifier: Apache-2.0
// From a file as distributions ship it to the kernel image that kexec_file_load takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"
#include "kexec/image.hpp"

namespace stillboot::kexec {

struct UnwrapLimits {
    std::uint64_t max_bytes = std::uint64_t{512} << 20;  ///< of each layer
    unsigned max_layers = 4;                             ///< a UKI of a zboot image of a gzip stream has 3
};

struct Unwrapped {
    UniqueFd kernel;  ///< sealed; the file that was given where nothing had to be unwrapped
    Image image;
    std::uint64_t kernel_bytes = 0;
    UniqueFd initrd;  ///< sealed; empty unless a UKI brought one
    std::uint64_t initrd_bytes = 0;
    std::optional<std::string> command_line;  ///< of a UKI
    std::vector<Message> notes;               ///< what was unwrapped, and what that loses
};

/// Recognises a kernel and unwraps it as often as needed, each layer into a sealed memfd.
/// @param file a sealed memfd
/// @error those of recognise() and decompress(), kexec.too_many_layers, kexec.wrong_architecture,
///   base.memfd_failed
[[nodiscard]] Result<Unwrapped> unwrap(UniqueFd file, const std::string& name,
                                       Architecture host = host_architecture(), const UnwrapLimits& limits = {});

/// One initrd of several, in their order: each begins at a multiple of 4 bytes, for the kernel skips zeros
/// between cpio archives only in words. A single one is handed back as it is. Sealed.
/// @param initrds sealed memfds; none gives an empty descriptor
/// @error base.memfd_failed
[[nodiscard]] Result<UniqueFd> join_initrds(std::vector<UniqueFd> initrds);

/// The size of a descriptor's file in bytes; 0 for none.
[[nodiscard]] std::uint64_t file_bytes(const UniqueFd& file);

}  // namespace stillboot::kexec
