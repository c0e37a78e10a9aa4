// SPDX-License-Identifier: Apache-2.0
// stillboot bridge: what `--host ssh://` runs on the other side.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "ui/cli/bridge.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

ExitCode run_bridge(const Context& context) {
    if (context.daemon.kind != client::Address::Kind::unix_socket) {
        context.complain("stillboot: " + Message("cli.bridge_unix").sentence());
        return ExitCode::usage;
    }
    // A side that has gone is seen where it is written to.
    ::signal(SIGPIPE, SIG_IGN);
    const auto carried = bridge(context.daemon.path, STDIN_FILENO, STDOUT_FILENO);
    if (!carried) {
        // One line and no hint: the client on the other machine shows the last one.
        context.complain("stillboot: " + carried.error().sentence());
        return ExitCode::unreachable;
    }
    return ExitCode::done;
}

}  // namespace

void add_bridge(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("bridge", "Carry the daemon's socket over standard input and output, for --host ssh://")
        ->callback([&] { action = [&context] { return run_bridge(context); }; });
}

}  // namespace stillboot::cli
