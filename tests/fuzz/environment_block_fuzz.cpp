// SPDX-License-Identifier: Apache-2.0
// Any bytes as a GRUB environment block.
#include "config/parse/grub/environment_block.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A copy without a byte behind it, so that the sanitizer sees a read past its end.
    const std::vector<char> text(data, data + size);
    const auto block = stillboot::parse_environment_block({text.data(), text.size()}, "e");
    for (const auto& [name, value] : block.variables) {
        if (name.empty() || name.size() + value.size() > size) {
            __builtin_trap();
        }
    }
    return 0;
}
