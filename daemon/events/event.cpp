// SPDX-License-Identifier: Apache-2.0
// Events as JSON.
#include "daemon/events/event.hpp"

#include <time.h>

#include <array>
#include <boost/json.hpp>
#include <cstdio>

#include "config/base/utf8.hpp"
#include "daemon/loop/log_line.hpp"

namespace stillboot::events {
namespace {

namespace json = boost::json;

// Cut before a letter, not within it: one that is not valid has grown by being replaced.
std::string field(std::string_view text) {
    std::string valid = one_line(valid_utf8(text.substr(0, max_field_bytes)));
    if (valid.size() > max_field_bytes) {
        std::size_t end = max_field_bytes;
        while (end > 0 && (static_cast<unsigned char>(valid[end]) & 0xc0) == 0x80) {
            --end;
        }
        valid.resize(end);
    }
    return valid;
}

void add(json::object& object, std::string_view name, std::string_view text) {
    if (!text.empty()) {
        object[name] = field(text);
    }
}

std::string utc(std::uint64_t time_ms) {
    const auto seconds = static_cast<std::time_t>(time_ms / 1000);
    std::tm clock = {};
    ::gmtime_r(&seconds, &clock);
    std::array<char, 96> text;
    std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", clock.tm_year + 1900,
                  clock.tm_mon + 1, clock.tm_mday, clock.tm_hour, clock.tm_min, clock.tm_sec,
                  static_cast<unsigned>(time_ms % 1000));
    return text.data();
}

std::string attribute(const Root& root, std::string_view path) {
    std::string text = root.read_attribute(path).value_or("");
    text.erase(text.find_last_not_of(std::string_view(" \n\0", 3)) + 1);
    return text;
}

}  // namespace

std::string_view to_word(Kind kind) {
    switch (kind) {
        case Kind::started: return "started";
        case Kind::discovered: return "discovered";
        case Kind::countdown: return "countdown";
        case Kind::boot_begun: return "boot-begun";
        case Kind::jump: return "jump";
        case Kind::boot_failed: return "boot-failed";
        case Kind::cancelled: return "cancelled";
        case Kind::choice: return "choice";
        case Kind::setting: return "setting";
        case Kind::refused: return "refused";
        case Kind::script: return "script";
        case Kind::final_action: return "final-action";
    }
    return "";
}

bool is_trouble(Kind kind) {
    return kind == Kind::boot_failed || kind == Kind::refused || kind == Kind::final_action;
}

Line line_of(const Event& event, const Origin& origin, const Moment& moment) {
    Line line;
    line.kind = event.kind;
    line.time = utc(moment.time_ms);
    line.machine = field(origin.machine);
    json::object object = {{"time", line.time},       {"uptime_ms", moment.uptime_ms},
                           {"seq", moment.seq},       {"session", field(origin.session)},
                           {"machine", line.machine}, {"event", to_word(event.kind)}};
    add(object, "what", event.what);
    add(object, "option", event.option);
    add(object, "title", event.title);
    add(object, "device", event.device);
    add(object, "by", event.by);
    if (event.attempt != 0) {
        object["attempt"] = event.attempt;
    }
    if (event.reason) {
        add(object, "code", event.reason->code());
        add(object, "reason", event.reason->sentence());
    }
    line.text = json::serialize(object);
    return line;
}

std::string machine_name(const Root& root) {
    const std::string host = attribute(root, "/proc/sys/kernel/hostname");
    if (!host.empty() && host != "(none)" && host != "localhost") {
        return host;
    }
    for (const char* path :
         {"/sys/class/dmi/id/product_serial", "/proc/device-tree/system-id", "/proc/device-tree/serial-number"}) {
        if (const std::string serial = attribute(root, path); !serial.empty()) {
            return serial;
        }
    }
    for (const std::string& name : root.list("/sys/class/net").value_or(std::vector<std::string>())) {
        const std::string address = attribute(root, "/sys/class/net/" + name + "/address");
        if (!address.empty() && address != "00:00:00:00:00:00") {
            return address;
        }
    }
    return "unknown";
}

}  // namespace stillboot::events
