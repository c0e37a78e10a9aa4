// SPDX-License-Identifier: Apache-2.0
// Device names and file names.
#include "config/parse/grub/place.hpp"

#include <array>
#include <utility>

namespace stillboot::grub {
namespace {

using Kind = DeviceRef::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 5> prefixes{{
    {"fsuuid/", Kind::uuid},
    {"fslabel/", Kind::label},
    {"partuuid/", Kind::partuuid},
    {"partlabel/", Kind::partlabel},
    {"device/", Kind::id},
}};

bool is_safe(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == ':';
}

int hex_digit(char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    const std::size_t at = digits.find(c);
    return at == digits.npos ? -1 : static_cast<int>(at);
}

std::string escape(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        if (is_safe(c)) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return out;
}

std::optional<std::string> unescape(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out += text[at];
            continue;
        }
        const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
        const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        out += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return out;
}

}  // namespace

std::string device_name(const DeviceRef& device) {
    for (const auto& [prefix, kind] : prefixes) {
        if (kind == device.kind) {
            return std::string(prefix) + escape(device.value);
        }
    }
    return "self";
}

std::optional<DeviceRef> device_of(std::string_view name) {
    if (name == "self") {
        return DeviceRef();
    }
    for (const auto& [prefix, kind] : prefixes) {
        if (name.substr(0, prefix.size()) == prefix) {
            const auto value = unescape(name.substr(prefix.size()));
            return value && !value->empty() ? std::optional(DeviceRef{kind, *value}) : std::nullopt;
        }
    }
    return std::nullopt;
}

FileName split_file_name(std::string_view text) {
    if (text.substr(0, 1) != "(") {
        return {std::nullopt, text};
    }
    const std::size_t close = text.find(')');
    if (close == text.npos) {
        return {text.substr(1), {}};
    }
    return {text.substr(1, close - 1), text.substr(close + 1)};
}

std::string url_base(std::string_view device) {
    for (const std::string_view protocol : {"http", "https", "tftp"}) {
        const std::string_view rest = device.substr(std::min(protocol.size(), device.size()));
        if (device.substr(0, protocol.size()) == protocol && rest.size() > 1 && rest[0] == ',') {
            return std::string(protocol) + "://" + std::string(rest.substr(1));
        }
    }
    return {};
}

std::string_view parent_path(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace stillboot::grub
