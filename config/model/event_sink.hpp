// SPDX-License-Identifier: Apache-2.0
// A place that events are told to, as the setting `events` names it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stillboot {

struct EventSinkName {
    enum class Kind {
        file,
        program,
        syslog_socket,  ///< /dev/log
        syslog_udp,
    };

    Kind kind = Kind::file;
    std::string path;     ///< of the file or the program
    std::string address;  ///< numeric, without brackets
    std::string port;
    bool is_ipv6 = false;

    bool operator==(const EventSinkName&) const = default;
};

/// Reads "file:/PATH", "program:/PATH", "syslog:" or "syslog:ADDRESS:PORT", an IPv6 address in brackets. Nothing
/// where the text is none of these.
[[nodiscard]] std::optional<EventSinkName> parse_event_sink(std::string_view text);

}  // namespace stillboot
