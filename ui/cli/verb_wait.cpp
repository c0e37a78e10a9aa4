// SPDX-License-Identifier: Apache-2.0
// stillboot wait: until there is something to boot, until it is known what boots, or until all is quiet.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <thread>

#include "daemon/client/place.hpp"
#include "daemon/protocol/failure.hpp"
#include "ui/cli/connection.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/reconnecting.hpp"
#include "ui/cli/verbs.hpp"
#include "ui/menu/mirror.hpp"

namespace stillboot::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

struct WaitOptions {
    std::string what;
    std::optional<double> timeout_seconds;
};

/// The time that is left; none where there is no limit.
using Left = std::function<std::optional<Milliseconds>()>;

bool is_scanned(const protocol::Device* device) {
    return device->state != protocol::DeviceState::queued && device->state != protocol::DeviceState::scanning;
}

bool has_come(const std::string& what, const menu::Mirror& mirror) {
    const auto& state = mirror.state();
    if (what == "options") {
        return mirror.option_count() != 0;
    }
    if (what == "default") {
        // Where nothing boots by itself (`timeout = "never"`, a stopped countdown), what a person would boot.
        return state.phase != protocol::Phase::discovering && (state.would_boot || state.default_option);
    }
    return state.phase == protocol::Phase::idle &&
           std::all_of(mirror.devices().begin(), mirror.devices().end(), is_scanned);
}

bool is_over(const Left& left) {
    const auto time = left();
    return time && *time <= Milliseconds(0);
}

/// One connection's worth: true when it has come, false when the time is over. @error what ended the connection
Result<bool> follow(const Context& context, const std::string& what, const Left& left, client::Place& place,
                    menu::Mirror& mirror, Reconnecting& reconnecting) {
    auto connection = Connection::open(context);
    if (!connection) {
        return connection.error();
    }
    if (auto begun = connection->stream<protocol::Watch>(place.begin()); !begun) {
        return begun.error();
    }
    while (!is_over(left)) {
        auto next = connection->next<protocol::Watch>(left());
        if (!next) {
            return next.error();
        }
        reconnecting.on_heard();
        place.take(next->reply);
        mirror.apply(next->reply.change);
        if (has_come(what, mirror)) {
            return true;
        }
        if (next->last) {
            return Error("daemon.connection_ended");
        }
    }
    return false;
}

ExitCode give_up(const Context& context, const WaitOptions& options, const std::optional<Error>& last) {
    std::string reason = last ? last->sentence() : Message("cli.wait_not_yet").sentence();
    context.complain("stillboot: " +
                     Message("cli.wait_over", {{"what", options.what}, {"reason", reason}}).sentence());
    return ExitCode::failed;
}

// A daemon that is not up yet, or is started again meanwhile, is waited for as well.
ExitCode wait_for(const Context& context, const WaitOptions& options) {
    const auto began = SteadyClock::now();
    const Left left = [&]() -> std::optional<Milliseconds> {
        if (!options.timeout_seconds) {
            return std::nullopt;
        }
        const auto limit = Milliseconds(static_cast<std::int64_t>(*options.timeout_seconds * 1000));
        const auto used = std::chrono::duration_cast<Milliseconds>(SteadyClock::now() - began);
        return std::max(limit - used, Milliseconds(0));
    };
    client::Place place;
    menu::Mirror mirror;
    Reconnecting reconnecting(context);
    for (;;) {
        const auto followed = follow(context, options.what, left, place, mirror, reconnecting);
        if (followed && *followed) {
            break;
        }
        if (followed) {
            return give_up(context, options, std::nullopt);
        }
        const Error& why = followed.error();
        if (reconnecting.ends_with(why)) {
            return report(context, why);
        }
        if (is_over(left)) {
            const bool only_late = protocol::classify(why) == protocol::Failure::timed_out;
            return give_up(context, options, only_late ? std::nullopt : std::optional(why));
        }
        const Milliseconds pause = reconnecting.pause_after(why);
        std::this_thread::sleep_for(std::min(left().value_or(pause), pause));
    }
    if (context.wants_json()) {
        print_json(context, protocol::to_json(mirror.state()));
    }
    return ExitCode::done;
}

}  // namespace

void add_wait(CLI::App& app, const Context& context, Action& action) {
    constexpr double longest_seconds = 365.0 * 24 * 3600;
    auto options = std::make_shared<WaitOptions>();
    CLI::App* verb = app.add_subcommand(
        "wait", "Wait until there is an option, until it is known what would boot, or until all is quiet");
    verb->add_option("WHAT", options->what, "options, default or idle")
        ->required()
        ->check(CLI::IsMember({"options", "default", "idle"}));
    verb->add_option("--timeout", options->timeout_seconds, "At most this many seconds; exit 1 when they are over")
        ->check(CLI::Range(0.0, longest_seconds));
    verb->callback([&context, &action, options] {
        if (options->timeout_seconds && std::isnan(*options->timeout_seconds)) {  // no range keeps it out
            throw CLI::ValidationError("--timeout", "must be a number of seconds");
        }
        action = [&context, options] { return wait_for(context, *options); };
    });
}

}  // namespace stillboot::cli
