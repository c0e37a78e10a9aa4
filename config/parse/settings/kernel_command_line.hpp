// SPDX-License-Identifier: Apache-2.0
// The words of a kernel command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stillboot {

/// One word of a kernel command line; the quotes around it or around its value are gone.
struct KernelParameter {
    std::string name;
    std::string value;  ///< empty where there is no "="
    bool has_value = false;
    std::size_t offset = 0;  ///< where the word starts, in bytes
};

/// Splits a command line as the kernel does (lib/cmdline.c, next_arg): at white space outside double quotes, up to
/// a word "--", behind which everything is for init.
[[nodiscard]] std::vector<KernelParameter> split_kernel_command_line(std::string_view line);

}  // namespace stillboot
