// SPDX-License-Identifier: Apache-2.0
// Taking an address and its port apart.
#include "config/base/endpoint.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>

namespace stillboot {

std::optional<Endpoint> split_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) {
        return std::nullopt;
    }
    Endpoint endpoint;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + colon + 1, end, endpoint.port);
    if (read.ptr != end || read.ec != std::errc()) {
        return std::nullopt;
    }
    std::string_view host = text.substr(0, colon);
    endpoint.bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    endpoint.host = endpoint.bracketed ? host.substr(1, host.size() - 2) : host;
    return endpoint;
}

bool is_numeric(const Endpoint& endpoint) {
    std::array<unsigned char, sizeof(in6_addr)> address;
    return endpoint.port != 0 &&
           ::inet_pton(endpoint.bracketed ? AF_INET6 : AF_INET, endpoint.host.c_str(), address.data()) == 1;
}

}  // namespace stillboot
