// SPDX-License-Identifier: Apache-2.0
// stillboot explain: what a directory or disk image would offer to boot, and what is wrong with its configuration.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "ui/cli/explain_image.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

struct ExplainArguments {
    ExplainOrder::Place own;
    std::vector<std::string> also;
};

ExitCode explain(const Context& context, const ExplainArguments& arguments) {
    ExplainOrder order;
    order.own = arguments.own;
    complete_id(order.own.device);
    if (order.own.device.id.empty()) {
        order.own.device.id = "this";
    }
    for (const std::string& text : arguments.also) {
        auto place = parse_also(text);
        if (!place) {
            (void)report(context, place.error());
            return ExitCode::usage;
        }
        order.others.push_back(std::move(*place));
    }
    std::error_code ignored;
    const bool image = std::filesystem::exists(order.own.path, ignored) &&
                       !std::filesystem::is_directory(order.own.path, ignored);
    if (image && ::geteuid() != 0) {
        (void)report(context, Error("cli.image_needs_root", {{"path", order.own.path}}));
        return ExitCode::refused;
    }
    const auto result = image ? scan_image(order) : scan_directory(order);
    if (!result) {
        const ExitCode code = report(context, result.error());
        return result.error().code() == "cli.no_such_path" ? ExitCode::not_found : code;
    }
    if (context.wants_json()) {
        print_json(context, explain_json(*result, order));
    } else {
        print_explanation(context, *result, order);
    }
    return ExitCode::done;
}

}  // namespace

void add_explain(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand(
        "explain",
        "What this directory or disk image would offer to boot, and what is wrong with its configuration");
    auto arguments = std::make_shared<ExplainArguments>();
    verb->add_option("PATH", arguments->own.path,
                     "A directory, taken as the root of a file system, or an image of one")
        ->required();
    verb->add_option("--uuid", arguments->own.device.uuid, "The UUID of that file system");
    verb->add_option("--label", arguments->own.device.label, "Its label");
    verb->add_option("--device", arguments->own.device.id, "Its device id");
    verb->add_option("--also", arguments->also, "Another file system: DIR:uuid=U[,label=L][,device=ID]")
        ->take_all()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    verb->callback([&context, &action, arguments] {
        action = [&context, arguments] { return explain(context, *arguments); };
    });
}

}  // namespace stillboot::cli
