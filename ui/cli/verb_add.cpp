// SPDX-License-Identifier: Apache-2.0
// stillboot add: boot options of a file that no scan finds by itself.
#include <CLI/CLI.hpp>

#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {

void add_add(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb =
        app.add_subcommand("add", "Make a configuration or a kernel that is nowhere usual boot options");
    auto asked = std::make_shared<protocol::AddConfiguration::Parameters>();
    verb->add_option("FILE", asked->path, "DEVICE:/PATH, as boot --kernel takes it")->required();
    verb->callback([&context, &action, asked] {
        action = [&context, asked] {
            return call_and_print<protocol::AddConfiguration>(context, *asked, [&](const auto& reply) {
                for (const std::string& id : reply.options) {
                    context.line(id);
                }
                for (const Diagnostic& diagnostic : reply.diagnostics) {
                    context.complain(diagnostic.text());
                }
            });
        };
    });
}

}  // namespace stillboot::cli
