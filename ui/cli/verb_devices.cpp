// SPDX-License-Identifier: Apache-2.0
// stillboot devices: what was found on each device, or why nothing.
#include <CLI/CLI.hpp>

#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

using protocol::Device;
using protocol::DeviceState;

std::string_view words_of(DeviceState state) {
    switch (state) {
        case DeviceState::queued: return "waits to be scanned";
        case DeviceState::scanning: return "is being scanned";
        case DeviceState::found: return "has boot options";
        case DeviceState::container: return "must be opened first";
        case DeviceState::empty: return "has nothing to boot";
        case DeviceState::failed: return "could not be read";
    }
    return "";
}

void print_device(const Context& context, const Device& device) {
    std::string facts;
    for (const std::string& fact : {device.filesystem, menu::human_size(device.size_bytes), device.label}) {
        facts += fact.empty() ? "" : (facts.empty() ? "" : ", ") + fact;
    }
    context.line(device.node + "  " + device.title + (facts.empty() ? "" : " (" + facts + ")") + " " +
                 std::string(words_of(device.state)));
    context.line("    id: " + device.id);
    if (device.reason) {
        context.line("    " + device.reason->sentence());
    }
    for (const Diagnostic& diagnostic : device.diagnostics) {
        context.line("    " + diagnostic.text());
    }
}

ExitCode show_devices(const Context& context) {
    return call_and_print<protocol::ListDevices>(context, {}, [&](const auto& reply) {
        if (reply.devices.empty()) {
            context.line("No disk was found.");
        }
        for (const Device& device : reply.devices) {
            print_device(context, device);
        }
    });
}

}  // namespace

void add_devices(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("devices", "The devices, what was found on each, and what is wrong there")->callback([&] {
        action = [&context] { return show_devices(context); };
    });
}

}  // namespace stillboot::cli
