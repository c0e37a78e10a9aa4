// SPDX-License-Identifier: Apache-2.0
// Any bytes as a kernel: recognised, unwrapped layer by layer, never read outside of the file.
#include "config/base/memfd.hpp"
#include "kexec/unwrap.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stillboot;
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto image = kexec::recognise(bytes, "fuzz");
    if (!image) {
        return 0;
    }
    // Unwrapping relies on these; a range outside would be read.
    if (image->expected_bytes > size) {
        __builtin_trap();
    }
    (void)kexec::check_command_line(*image, "quiet");
    kexec::UnwrapLimits limits;
    limits.max_bytes = 1 << 20;
    auto file = sealed_memfd("fuzz", bytes);
    if (file) {
        (void)kexec::unwrap(std::move(*file), "fuzz", kexec::Architecture::x86, limits);
    }
    return 0;
}
