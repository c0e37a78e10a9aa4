// SPDX-License-Identifier: Apache-2.0
// GRUB's names for devices and files, "(device)/path", and what they mean to us.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/model/device.hpp"

namespace stillboot::grub {

/// The name under which a script holds a device: "self", "fsuuid/…", "fslabel/…", and so on, free of blanks and
/// parentheses, so that it survives unquoted use. GRUB's own names (hd0,gpt2) say nothing here.
[[nodiscard]] std::string device_name(const DeviceRef& device);
/// The device of such a name, or none.
[[nodiscard]] std::optional<DeviceRef> device_of(std::string_view name);

/// A file name cut in two: the text in the parentheses (none: the device of $root) and the rest.
struct FileName {
    std::optional<std::string_view> device;
    std::string_view path;
};
[[nodiscard]] FileName split_file_name(std::string_view text);

/// "http://server" for GRUB's "http,server", and so for tftp; empty for any other device.
[[nodiscard]] std::string url_base(std::string_view device);

/// The directory of a path, without the slash at its end ("" for the top).
[[nodiscard]] std::string_view parent_path(std::string_view path);

}  // namespace stillboot::grub
