// SPDX-License-Identifier: Apache-2.0
// stillboot quiesce rules: the rules in effect, in the order in which they are asked.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "ui/cli/json_output.hpp"
#include "ui/cli/machine.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

namespace json = boost::json;

template <class Patterns>
json::array written(const Patterns& patterns) {
    json::array out;
    for (const auto& pattern : patterns) {
        if constexpr (std::is_same_v<typename Patterns::value_type, std::string>) {
            out.emplace_back(pattern);
        } else {
            out.emplace_back(to_text(pattern));
        }
    }
    return out;
}

json::value rule_json(const Rule& rule) {
    json::object match;
    const auto add = [&](std::string_view key, json::array patterns) {
        if (!patterns.empty()) {
            match[key] = std::move(patterns);
        }
    };
    add("driver", written(rule.drivers));
    add("bus", written(rule.buses));
    add("path", written(rule.paths));
    add("class", written(rule.classes));
    add("modalias", written(rule.modalias));
    add("pci_id", written(rule.pci_ids));
    add("pci_class", written(rule.pci_classes));
    return json::object{{"name", rule.name},
                        {"match", match},
                        {"action", to_word(rule.action)},
                        {"deadline_s", rule.deadline.count()},
                        {"why", rule.why},
                        {"source", rule.source},
                        {"shipped", rule.shipped},
                        {"file", rule.file},
                        {"line", rule.line}};
}

ExitCode show_rules(const Context& context) {
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    const quiesce::Policy policy = policy_of(context, *root, settings_of(context, *root));
    if (context.wants_json()) {
        json::array rules;
        for (const Rule& rule : policy.rules) {
            rules.push_back(rule_json(rule));
        }
        print_json(context, json::object{{"mode", to_word(policy.mode)}, {"rules", rules}});
        return ExitCode::done;
    }
    context.line(fmt::format("mode: {}", to_word(policy.mode)));
    for (const Rule& rule : policy.rules) {
        context.line(fmt::format("{} {} where {}", to_word(rule.action), rule.label(), rule.match_text()));
        context.line(fmt::format("    {}", rule.why));
        if (!rule.source.empty()) {
            context.line(fmt::format("    source: {}", rule.source));
        }
    }
    return ExitCode::done;
}

}  // namespace

void add_rules(CLI::App& quiesce, const Context& context, Action& action) {
    quiesce.add_subcommand("rules", "The rules that say what is unbound, in order; touches nothing")
        ->callback([&context, &action] { action = [&context] { return show_rules(context); }; });
}

}  // namespace stillboot::cli
