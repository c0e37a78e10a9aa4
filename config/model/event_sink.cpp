// SPDX-License-Identifier: Apache-2.0
// The text of a place for events.
#include "config/model/event_sink.hpp"

#include "config/base/endpoint.hpp"

namespace stillboot {
namespace {

using Kind = EventSinkName::Kind;

std::optional<EventSinkName> with_path(Kind kind, std::string_view path) {
    EventSinkName name;
    name.kind = kind;
    name.path = path;
    return path.size() > 1 && path.front() == '/' && path.back() != '/' ? std::optional(name) : std::nullopt;
}

std::optional<EventSinkName> syslog(std::string_view text) {
    EventSinkName name;
    name.kind = Kind::syslog_socket;
    if (text.empty()) {
        return name;
    }
    const auto endpoint = split_endpoint(text);
    if (!endpoint || !is_numeric(*endpoint)) {
        return std::nullopt;
    }
    name.kind = Kind::syslog_udp;
    name.address = endpoint->host;
    name.port = std::to_string(endpoint->port);
    name.is_ipv6 = endpoint->bracketed;
    return name;
}

}  // namespace

std::optional<EventSinkName> parse_event_sink(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view kind = text.substr(0, colon);
    const std::string_view rest = colon == text.npos ? std::string_view() : text.substr(colon + 1);
    if (kind == "file") {
        return with_path(Kind::file, rest);
    }
    if (kind == "program") {
        return with_path(Kind::program, rest);
    }
    return kind == "syslog" && colon != text.npos ? syslog(rest) : std::nullopt;
}

}  // namespace stillboot
