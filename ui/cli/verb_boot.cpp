// SPDX-License-Identifier: Apache-2.0
// stillboot boot: the order to boot an option.
#include <CLI/CLI.hpp>

#include "ui/cli/call_and_print.hpp"
#include "ui/cli/progress.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

struct BootOrder {
    std::optional<std::string> option;
    std::optional<std::string> kernel;
    std::vector<std::string> initrds;
    std::optional<std::string> devicetree;
    std::optional<std::string> append;
    std::optional<std::string> args;
    bool dry_run = false;
    bool wait = false;

    [[nodiscard]] protocol::Boot::Parameters parameters() const {
        protocol::Boot::Parameters out;
        out.option = option;
        out.kernel = kernel;
        if (!initrds.empty()) {
            out.initrds = initrds;
        }
        out.devicetree = devicetree;
        out.append = append;
        out.args = args;
        if (dry_run) {
            out.dry_run = true;
        }
        return out;
    }
};

void print_accepted(const Context& context, const BootOrder& order, const protocol::Boot::Reply& reply) {
    if (!order.dry_run) {
        return context.line(reply.option + " is being booted. To stop it: stillboot cancel");
    }
    for (const std::string& line : reply.plan.value_or(std::vector<std::string>())) {
        context.line(line);
    }
}

ExitCode boot(const Context& context, const BootOrder& order) {
    return call_and_print<protocol::Boot>(context, order.parameters(),
                                          [&](const auto& reply) { print_accepted(context, order, reply); });
}

ExitCode handed_over(const Context& context) {
    if (!context.wants_json()) {
        context.line(Message("cli.handed_over").sentence());
    }
    return ExitCode::done;
}

void print_progress(const Context& context, const protocol::Boot::Reply& reply, ProgressPrinter& progress) {
    if (context.wants_json()) {
        print_json_line(context, protocol::to_json(reply));
    } else if (reply.progress) {
        progress.print(*reply.progress);
    }
}

/// What ended it: daemon.boot_failed, or what became of the connection.
Error follow_state(const Context& context, Connection& connection, protocol::Boot::Reply reply,
                   ProgressPrinter& progress) {
    if (auto begun = connection.stream<protocol::Watch>(); !begun) {
        return begun.error();
    }
    for (;;) {
        auto next = connection.next<protocol::Watch>();
        if (!next) {
            return next.error();
        }
        const auto& state = next->reply.change.state;
        if (state && (state->phase != protocol::Phase::handover || state->would_boot != reply.option)) {
            const Message reason = state->last_failure.value_or(state->why);
            return Error("daemon.boot_failed", {{"reason", reason.sentence()}});
        }
        if (state && state->progress && state->progress != reply.progress) {
            reply.progress = state->progress;
            print_progress(context, reply, progress);
        }
        if (next->last) {
            return Error("daemon.connection_ended");
        }
    }
}

// The daemon's last word on the boot is said before the devices go. From another machine nothing is to be seen
// after it; on this one the state tells the rest, until the jump ends everything, this program too: a daemon that
// goes before it has died.
ExitCode follow_further(const Context& context, Connection& connection, const protocol::Boot::Reply& reply,
                        ProgressPrinter& progress) {
    if (context.daemon.kind != client::Address::Kind::unix_socket) {
        return handed_over(context);
    }
    return report(context, follow_state(context, connection, reply, progress));
}

/// Until the machine hands over, or the failure.
ExitCode boot_and_wait(const Context& context, const BootOrder& order) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    if (auto begun = connection->stream<protocol::Boot>(order.parameters()); !begun) {
        return report(context, begun.error());
    }
    ProgressPrinter progress(context);
    for (;;) {
        auto next = connection->next<protocol::Boot>();
        if (!next) {
            return report(context, next.error());
        }
        print_progress(context, next->reply, progress);
        if (next->last) {
            return follow_further(context, *connection, next->reply, progress);
        }
    }
}

}  // namespace

void add_boot(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("boot", "Boot an option");
    auto order = std::make_shared<BootOrder>();
    auto* option = verb->add_option("OPTION", order->option, "An id or a title of `stillboot list`, or @default");
    auto* kernel =
        verb->add_option("--kernel", order->kernel, "Boot this kernel, DEVICE:/PATH, in place of an option");
    kernel->excludes(option);
    verb->add_option("--initrd", order->initrds, "Load this, too: /PATH on the option's device, or DEVICE:/PATH")
        ->expected(1)
        ->take_all();
    verb->add_option("--devicetree", order->devicetree, "Use this devicetree: /PATH, or DEVICE:/PATH");
    auto* append = verb->add_option("--append", order->append, "Add this to the command line");
    verb->add_option("--args", order->args, "Use this command line instead")->excludes(append);
    auto* dry_run = verb->add_flag("--dry-run", order->dry_run, "Say what would be done, and do nothing");
    verb->add_flag("--wait", order->wait, "Show how it goes, until the machine hands over or the boot fails")
        ->excludes(dry_run);
    verb->callback([&context, &action, order] {
        if (!order->option && !order->kernel) {
            throw CLI::RequiredError("OPTION, or --kernel,");
        }
        action = [&context, order] {
            return order->wait ? boot_and_wait(context, *order) : boot(context, *order);
        };
    });
}

}  // namespace stillboot::cli
