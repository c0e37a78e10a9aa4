// SPDX-License-Identifier: Apache-2.0
// Reading --host.
#include "daemon/client/address.hpp"

#include <algorithm>
#include <charconv>

namespace stillboot::client {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::string_view ssh_prefix = "ssh://";
constexpr std::string_view tls_prefix = "tls://";
constexpr std::size_t max_name = 255;

bool is_name(std::string_view text, std::string_view more) {
    const auto fits = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != more.npos;
    };
    return !text.empty() && text.size() <= max_name && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), fits);
}

bool take_port(std::string_view text, std::uint16_t& port) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failure == std::errc() && end == text.data() + text.size() && port != 0;
}

// HOST[:PORT], [HOST][:PORT]
bool take_host(std::string_view text, Address& address) {
    const bool bracketed = text.starts_with('[');
    const std::size_t end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
    if (end == text.npos) {
        return false;
    }
    address.host = text.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
    const std::string_view rest = text.substr(bracketed ? end + 1 : end);
    const bool port_fits = rest.empty() || (rest.front() == ':' && take_port(rest.substr(1), address.port));
    return port_fits && is_name(address.host, bracketed ? ".:%" : ".-_");
}

std::optional<Address> parse_ssh(std::string_view text) {
    Address address;
    address.kind = Address::Kind::ssh;
    if (const std::size_t at = text.find('@'); at != text.npos) {
        address.user = text.substr(0, at);
        if (!is_name(address.user, "._-+\\")) {
            return std::nullopt;
        }
        text.remove_prefix(at + 1);
    }
    return take_host(text, address) ? std::optional(address) : std::nullopt;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
    if (text.starts_with(tls_prefix)) {
        Address address;
        address.kind = Address::Kind::tls;
        address.port = default_tls_port;
        return take_host(text.substr(tls_prefix.size()), address) ? std::optional(address) : std::nullopt;
    }
    if (text.starts_with(unix_prefix) && text.size() > unix_prefix.size()) {
        return Address(std::string(text.substr(unix_prefix.size())));
    }
    return text.starts_with(ssh_prefix) ? parse_ssh(text.substr(ssh_prefix.size())) : std::nullopt;
}

}  // namespace stillboot::client
