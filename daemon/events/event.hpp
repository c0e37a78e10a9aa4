// SPDX-License-Identifier: Apache-2.0
// What a fleet manager wants to know of a machine, and the line that says it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/message.hpp"
#include "config/base/root.hpp"

namespace stillboot::events {

enum class Kind {
    started,      ///< the daemon
    discovered,   ///< udev has settled; the option is what would boot by itself
    countdown,    ///< for the option
    boot_begun,   ///< a hand-over to the option
    jump,         ///< all is ready: devices are taken down now, and nothing can be told any more until the jump
    boot_failed,  ///< also after `jump`: everything is back
    cancelled,
    choice,
    setting,
    refused,  ///< a call of a client, or the client itself
    script,   ///< the one of the setting `script` has ended
    final_action,
};

/// "started", "boot-begun", … Lifetime: static.
[[nodiscard]] std::string_view to_word(Kind kind);
/// Whether somebody should look at it.
[[nodiscard]] bool is_trouble(Kind kind);

/// A text is empty where there is nothing to say.
struct Event {
    Kind kind = Kind::started;
    std::string option;
    std::string title;
    std::string device;             ///< the node that the kernel is on
    std::string by;                 ///< who wants it: a rule, a client
    std::optional<Message> reason;  ///< of what failed, or was refused
    unsigned attempt = 0;           ///< of a boot
    std::string what;               ///< which choice, setting, action, script or version
};

/// Where a line comes from.
struct Origin {
    std::string session;  ///< this run of the daemon
    std::string machine;
};

/// When, and the how many-th of its session.
struct Moment {
    std::uint64_t time_ms = 0;    ///< since the epoch
    std::uint64_t uptime_ms = 0;  ///< since the kernel's boot
    std::uint64_t seq = 0;
};

/// A line on its way, without its newline.
struct Line {
    Kind kind = Kind::started;
    std::string time;  ///< "2026-01-31T12:00:00.007Z"
    std::string machine;
    std::string text;
};

inline constexpr std::size_t max_field_bytes = 256;

/// One JSON object, as stillbootd(8) documents it. Every text is cut to max_field_bytes and is valid UTF-8 without
/// control characters: 4 KiB at most. Pure.
[[nodiscard]] Line line_of(const Event& event, const Origin& origin, const Moment& moment);

/// A name for this machine that others know it by: its host name, or the serial number that its firmware gives, or
/// the hardware address of its first interface; "unknown" where there is none of these.
[[nodiscard]] std::string machine_name(const Root& root);

}  // namespace stillboot::events
