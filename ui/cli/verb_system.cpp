// SPDX-License-Identifier: Apache-2.0
// stillboot system: what machine the daemon runs on.
#include <CLI/CLI.hpp>

#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"
#include "ui/menu/text.hpp"

namespace stillboot::cli {
namespace {

std::string words_of(const protocol::Interface& interface) {
    std::string words = interface.name + " " + interface.mac + (interface.link ? ", link" : ", no link");
    words += interface.megabits ? " at " + std::to_string(*interface.megabits) + " Mbit/s" : "";
    for (const auto& address : interface.addresses) {
        words += ", " + address;
    }
    return words;
}

void print_system(const Context& context, const protocol::System& system) {
    const auto line = [&](const std::string& name, const std::string& text) {
        context.line(name + ": " + (text.empty() ? "unknown" : text));
    };
    line("model", system.model);
    line("firmware", system.firmware);
    line("processors", std::to_string(system.processors) + " " + system.processor);
    line("memory", menu::human_size(system.memory_bytes));
    line("kernel", system.kernel + " " + system.architecture);
    line("stillboot", system.version);
    line("state store", system.state_store.empty() ? "none" : system.state_store);
    for (const auto& interface : system.interfaces) {
        line("interface", words_of(interface));
    }
}

ExitCode show_system(const Context& context) {
    return call_and_print<protocol::GetSystem>(context, {},
                                               [&](const auto& reply) { print_system(context, reply.system); });
}

}  // namespace

void add_system(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("system", "The machine: firmware, processors, memory, state store and network")
        ->callback([&] { action = [&context] { return show_system(context); }; });
}

}  // namespace stillboot::cli
