// SPDX-License-Identifier: Apache-2.0
// The texts of the pages: what is said of an option, of a device, of problems, of the log, and help.
#pragma once

#include <vector>

#include "ui/menu/mirror.hpp"
#include "ui/menu/text_view.hpp"

namespace stillboot::menu {

[[nodiscard]] std::vector<Paragraph> option_page(const protocol::Option& option, const Mirror& mirror);
[[nodiscard]] std::vector<Paragraph> device_page(const protocol::Device& device);
/// Every diagnostic of every device, and every device that offers nothing, with the reason.
[[nodiscard]] std::vector<Paragraph> problems_page(const Mirror& mirror);
[[nodiscard]] std::vector<Paragraph> log_page(const Mirror& mirror);
/// What the machine says of itself, with its disks.
[[nodiscard]] std::vector<Paragraph> system_page(const protocol::System& system, const Mirror& mirror);
[[nodiscard]] std::vector<Paragraph> help_page();

/// "/vmlinuz on the file system with label boot", or the URL.
[[nodiscard]] std::string resource_words(const Resource& resource);

}  // namespace stillboot::menu
