// SPDX-License-Identifier: Apache-2.0
// The errors of io.stillboot to and from replies.
#include "daemon/protocol/failure.hpp"

#include <boost/json.hpp>

#include "config/base/utf8.hpp"

namespace stillboot::protocol {
namespace {

struct Row {
    std::string_view error;  // on the wire
    std::string_view code;   // in the catalogue
    Failure failure;
};

constexpr Row rows[] = {
    {"io.stillboot.NotFound", "daemon.not_found", Failure::not_found},
    {"io.stillboot.Ambiguous", "daemon.ambiguous", Failure::ambiguous},
    {"io.stillboot.Busy", "daemon.busy", Failure::busy},
    {"io.stillboot.Refused", "daemon.refused", Failure::refused},
    {"io.stillboot.BootFailed", "daemon.boot_failed", Failure::boot_failed},
    {"io.stillboot.PermissionDenied", "daemon.permission_denied", Failure::permission_denied},
    {"io.stillboot.WrongPassword", "daemon.wrong_password", Failure::wrong_password},
    {"io.stillboot.TryLater", "daemon.try_later", Failure::wrong_password},
    {"io.stillboot.NotInThisBuild", "daemon.not_in_this_build", Failure::not_in_this_build},
    {"io.stillboot.TooSlow", "daemon.too_slow", Failure::too_slow},
    {"org.varlink.service.InterfaceNotFound", "daemon.unknown_interface", Failure::unknown_method},
    {"org.varlink.service.MethodNotFound", "daemon.unknown_method", Failure::unknown_method},
    {"org.varlink.service.MethodNotImplemented", "daemon.unknown_method", Failure::unknown_method},
    {"org.varlink.service.InvalidParameter", "daemon.invalid_parameter", Failure::invalid_parameter},
    {"org.varlink.service.PermissionDenied", "daemon.not_permitted", Failure::permission_denied},
    {"org.varlink.service.ExpectedMore", "daemon.expected_more", Failure::expected_more},
    {"", "daemon.unreachable", Failure::unreachable},
    {"", "daemon.ssh_failed", Failure::unreachable},
    {"", "daemon.tls_failed", Failure::unreachable},
    {"", "daemon.no_tls", Failure::not_in_this_build},
    {"", "daemon.no_urls", Failure::not_in_this_build},
    {"", "daemon.no_passwords", Failure::not_in_this_build},
    {"", "daemon.connection_ended", Failure::unreachable},
    {"", "daemon.connection_lost", Failure::unreachable},
    {"", "daemon.timed_out", Failure::timed_out},
};

Reply reply_of(std::string_view error, boost::json::object parameters = {}) {
    Reply reply;
    reply.error = "io.stillboot." + std::string(error);
    reply.parameters = std::move(parameters);
    return reply;
}

// A parameter of an error as text: lists are joined, messages become their sentence.
std::string as_text(const boost::json::value& value) {
    if (value.is_string()) {
        return std::string(std::string_view(value.get_string()));
    }
    if (value.is_array()) {
        std::string joined;
        for (const auto& element : value.get_array()) {
            joined += (joined.empty() ? "" : ", ") + as_text(element);
        }
        return joined;
    }
    const auto message = from_json<Message>(value);
    return message ? message->sentence() : boost::json::serialize(value);
}

}  // namespace

Failure classify(const Error& error) {
    for (const auto& row : rows) {
        if (row.code == error.code()) {
            return row.failure;
        }
    }
    return Failure::protocol;
}

Error to_error(const Reply& reply) {
    for (const auto& row : rows) {
        if (!row.error.empty() && row.error == reply.error) {
            Message message{row.code};
            for (const auto& member : reply.parameters) {
                message = message.with({std::string_view(member.key()), as_text(member.value())});
            }
            return Error(std::move(message));
        }
    }
    return Error("daemon.unknown_error",
                 {{"error", reply.error}, {"parameters", boost::json::serialize(reply.parameters)}});
}

Reply not_found(std::string_view what) {
    return reply_of("NotFound", {{"what", valid_utf8(what)}});
}
Reply ambiguous(std::string_view what, const std::vector<std::string>& candidates) {
    return reply_of("Ambiguous", {{"what", valid_utf8(what)}, {"candidates", to_json(candidates)}});
}
Reply busy(std::string_view option) {
    return reply_of("Busy", {{"option", valid_utf8(option)}});
}
Reply refused(const Message& reason) {
    return reply_of("Refused", {{"reason", to_json(reason)}});
}
Reply boot_failed(const Message& reason) {
    return reply_of("BootFailed", {{"reason", to_json(reason)}});
}
Reply permission_denied(Role needed, Role has) {
    return reply_of("PermissionDenied", {{"needed", to_word(needed)}, {"has", to_word(has)}});
}
Reply wrong_password(std::chrono::milliseconds wait) {
    return reply_of("WrongPassword", {{"wait_ms", std::int64_t{wait.count()}}});
}
Reply try_later(std::chrono::milliseconds wait) {
    return reply_of("TryLater", {{"wait_ms", std::int64_t{wait.count()}}});
}
Reply not_in_this_build(std::string_view what) {
    return reply_of("NotInThisBuild", {{"what", valid_utf8(what)}});
}
Reply too_slow() {
    return reply_of("TooSlow");
}

}  // namespace stillboot::protocol
