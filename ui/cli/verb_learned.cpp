// SPDX-License-Identifier: Apache-2.0
// stillboot quiesce learned: the drivers that are left alone for what they did, and forgetting them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "daemon/handover/machine_ports.hpp"
#include "kexec/handover/lock.hpp"
#include "kexec/handover/state.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/machine.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

struct Forget {
    std::string driver;
    bool all = false;

    [[nodiscard]] bool wanted() const { return all || !driver.empty(); }
};

void print(const Context& context, const std::vector<quiesce::Learned>& learned) {
    boost::json::array list;
    for (const quiesce::Learned& each : learned) {
        list.push_back(boost::json::object{{"driver", each.driver},
                                           {"bus", each.bus},
                                           {"device", each.device},
                                           {"why", to_word(each.why)},
                                           {"times", each.times},
                                           {"left_alone", each.is_kept()}});
        if (!context.wants_json()) {
            context.line(each.message().sentence());
        }
    }
    if (context.wants_json()) {
        print_json(context, list);
    } else if (learned.empty()) {
        context.line("No driver has hung or died here.");
    }
}

ExitCode forget(const Context& context, quiesce::StateStore& store, handover::State state, const Forget& what) {
    const auto before = state.learned.size();
    std::erase_if(state.learned, [&](const auto& each) { return what.all || each.driver == what.driver; });
    if (!what.all && state.learned.size() == before) {
        context.complain("stillboot: " + Message("cli.nothing_learned", {{"driver", what.driver}}).sentence());
        return ExitCode::not_found;
    }
    if (auto written = write_state(store, state); !written) {
        return report(context, written.error());
    }
    context.line(fmt::format("Forgotten: {}", before - state.learned.size()));
    return ExitCode::done;
}

ExitCode learned(const Context& context, const Forget& what) {
    if (const auto refused = refuse_without_root(context)) {
        return *refused;
    }
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    const Settings settings = settings_of(context, *root);
    const auto store = handover::open_store(*root, settings);
    if (store == nullptr) {
        context.complain("stillboot: " + handover::why_no_store(*root, settings).sentence());
        return ExitCode::not_found;
    }
    auto state = handover::read_state(*store);
    if (!state) {
        return report(context, state.error());
    }
    if (what.wanted()) {
        const auto lock = handover::Lock::take(*root);  // a hand-over writes there too
        if (!lock) {
            (void)report(context, lock.error());
            return ExitCode::refused;
        }
        state = handover::read_state(*store);
        return state ? forget(context, *store, std::move(*state), what) : report(context, state.error());
    }
    print(context, state->learned);
    return ExitCode::done;
}

}  // namespace

void add_learned(CLI::App& quiesce, const Context& context, Action& action) {
    CLI::App* verb =
        quiesce.add_subcommand("learned", "The drivers that hung or died in an unbind and are left alone");
    auto what = std::make_shared<Forget>();
    verb->add_option("--forget", what->driver, "Forget a driver, so that it is unbound again");
    verb->add_flag("--forget-all", what->all, "Forget all of them");
    verb->callback([&context, &action, what] { action = [&context, what] { return learned(context, *what); }; });
}

}  // namespace stillboot::cli
