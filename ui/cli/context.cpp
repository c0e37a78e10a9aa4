// SPDX-License-Identifier: Apache-2.0
// Printing, and errors as exit codes.
#include "ui/cli/context.hpp"

#include <ostream>

#include "daemon/protocol/failure.hpp"

namespace stillboot::cli {
namespace {

using protocol::Failure;

ExitCode exit_code_of(Failure failure) {
    switch (failure) {
        case Failure::not_found:
        case Failure::ambiguous: return ExitCode::not_found;
        case Failure::busy:
        case Failure::refused:
        case Failure::wrong_password:
        case Failure::permission_denied: return ExitCode::refused;
        case Failure::unreachable:
        case Failure::timed_out:
        case Failure::too_slow: return ExitCode::unreachable;
        case Failure::invalid_parameter: return ExitCode::usage;
        case Failure::boot_failed:
        case Failure::not_in_this_build:
        case Failure::unknown_method:
        case Failure::expected_more:
        case Failure::protocol: break;
    }
    return ExitCode::failed;
}

/// What to do next, or nothing.
std::string_view hint_code(Failure failure) {
    switch (failure) {
        case Failure::not_found: return "cli.hint_list";
        case Failure::ambiguous: return "cli.hint_id";
        case Failure::busy: return "cli.hint_cancel";
        case Failure::permission_denied: return "cli.hint_role";
        case Failure::unreachable: return "cli.hint_daemon";
        case Failure::boot_failed: return "cli.hint_log";
        case Failure::unknown_method: return "cli.hint_version";
        default: return {};
    }
}

}  // namespace

void Context::line(std::string_view text) const {
    out << menu::neutralise(text, charset) << '\n';
    out.flush();
}

void Context::complain(std::string_view text) const {
    err << menu::neutralise(text, charset) << '\n';
    err.flush();
}

ExitCode report(const Context& context, const Error& error) {
    context.complain("stillboot: " + error.sentence());
    const bool from_daemon = error.code().rfind("daemon.", 0) == 0;
    if (!from_daemon) {
        return ExitCode::failed;
    }
    const Failure failure = protocol::classify(error);
    const bool says_all = error.code() == "daemon.ssh_failed" || error.code() == "daemon.tls_failed";
    if (const std::string_view hint = hint_code(failure); !hint.empty() && !says_all) {
        context.complain(Message(hint).sentence());
    }
    return exit_code_of(failure);
}

}  // namespace stillboot::cli
