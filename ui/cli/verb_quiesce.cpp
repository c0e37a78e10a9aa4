// SPDX-License-Identifier: Apache-2.0
// stillboot quiesce: what would be unbound, doing it, and whether all is at rest; without the daemon.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>

#include "daemon/handover/machine_ports.hpp"
#include "daemon/handover/progress.hpp"
#include "daemon/handover/quiesce_plan.hpp"
#include "kexec/handover/executor.hpp"
#include "kexec/handover/lock.hpp"
#include "kexec/handover/record.hpp"
#include "quiesce/executor.hpp"
#include "quiesce/json.hpp"
#include "quiesce/plan.hpp"
#include "quiesce/ports.hpp"
#include "quiesce/state_store.hpp"
#include "quiesce/undo.hpp"
#include "quiesce/verify.hpp"
#include "ui/cli/connection.hpp"
#include "ui/cli/inventory_file.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/jump_report.hpp"
#include "ui/cli/machine.hpp"
#include "ui/cli/mistakes.hpp"
#include "ui/cli/progress.hpp"
#include "ui/cli/stop_signals.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

struct Prepared {
    Root root;
    Settings settings;
    quiesce::Policy policy;
    quiesce::Inventory inventory;
    quiesce::Plan plan;
};

Result<Prepared> prepare(const Context& context) {
    auto root = Root::open(context.root);
    if (!root) {
        return root.error();
    }
    Settings settings = settings_of(context, *root);
    quiesce::Policy policy = policy_with_memory_of(context, *root, settings);
    auto inventory = quiesce::read_inventory(*root);
    if (!inventory) {
        return inventory.error();
    }
    quiesce::Plan plan = quiesce::make_plan(*inventory, policy);
    return Prepared{std::move(*root), std::move(settings), std::move(policy), std::move(*inventory),
                    std::move(plan)};
}

// Another machine's plan comes as the protocol has it, so that is the form of this one's, too.
ExitCode print_plan(const Context& context, const quiesce::Plan& plan) {
    if (context.wants_json()) {
        print_json(context, protocol::to_json(handover::to_protocol(plan)));
    } else {
        for (const std::string& line : plan.text()) {
            context.line(line);
        }
    }
    return plan.refused() ? ExitCode::refused : ExitCode::done;
}

ExitCode show_plan_of_daemon(const Context& context) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    auto reply = connection->call<protocol::GetQuiescePlan>();
    if (!reply) {
        return report(context, reply.error());
    }
    return print_plan(context, handover::from_protocol(std::move(reply->plan)));
}

ExitCode show_plan(const Context& context) {
    if (context.host_named) {
        return show_plan_of_daemon(context);
    }
    auto prepared = prepare(context);
    if (!prepared) {
        return report(context, prepared.error());
    }
    for (Message& note : notes_for_the_caller(context, prepared->root, prepared->plan)) {
        prepared->plan.notes.push_back(std::move(note));
    }
    return print_plan(context, prepared->plan);
}

// From the file and the shipped rules alone: neither this machine nor its settings are looked at.
ExitCode show_plan_of_file(const Context& context, const std::string& file) {
    const auto recorded = inventory_of_file(file);
    if (!recorded) {
        const ExitCode code = report(context, recorded.error());
        return recorded.error().error_number() == ENOENT ? ExitCode::not_found : code;
    }
    return print_plan(context, quiesce::make_plan(recorded->inventory, {}));
}

void print_verdicts(const Context& context, const quiesce::Verification& verification) {
    if (context.wants_json()) {
        print_json(context, quiesce::to_json(verification));
        return;
    }
    for (const quiesce::Verdict& verdict : verification.verdicts) {
        const std::string_view driver = verdict.driver.empty() ? "-" : std::string_view(verdict.driver);
        context.line(fmt::format("{:<10} {:<14} {:<16} {}", to_word(verdict.rest), verdict.name, driver,
                                 verdict.why.sentence()));
    }
    context.line(verification.at_rest()      ? "Nothing moves."
                 : verification.only_reports ? "Not at rest: what moves is listed above. With the setting quiesce "
                                               "at off a jump would follow all the same."
                                             : "Not at rest: what moves is listed above.");
}

ExitCode show_verdicts(const Context& context) {
    const auto prepared = prepare(context);
    if (!prepared) {
        return report(context, prepared.error());
    }
    const auto verification = quiesce::look(prepared->root, prepared->plan);
    if (!verification) {
        return report(context, verification.error());
    }
    if (const auto note = what_others_than_root_miss(context)) {
        context.complain("stillboot: " + note->sentence());
    }
    print_verdicts(context, *verification);
    return verification->at_rest() ? ExitCode::done : ExitCode::failed;
}

/// The record where the daemon looks for it, so that it puts everything back when it is started.
quiesce::Persist persist_in(quiesce::StateStore& store, const Root& root) {
    return [&store, &root](const quiesce::UndoRecord& devices) {
        handover::Record record;
        record.boot_id = quiesce::current_boot_id(root);
        record.title = "stillboot quiesce run";
        record.step = handover::Step::unbind;
        record.devices = devices;
        return store.write(handover::to_text(record));
    };
}

ExitCode put_back(const Context& context, const quiesce::Execution& execution, const quiesce::Ports& ports,
                  quiesce::StateStore& store) {
    context.complain("stillboot: " + execution.failure->sentence());
    const quiesce::UndoReport undone = quiesce::undo(execution.record, ports);
    for (const Message& lost : undone.not_back) {
        context.complain("stillboot: " + lost.sentence());
    }
    if (undone.complete()) {
        (void)store.clear();
        context.complain(Message("cli.put_back").sentence());
    }
    return execution.failure->code() == "quiesce.refused" ? ExitCode::refused : ExitCode::failed;
}

ExitCode run_plan(const Context& context, bool even_if_cut_off) {
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    if (const auto refused = refuse_where_impossible(context, *root)) {
        return *refused;
    }
    const auto prepared = prepare(context);
    if (!prepared) {
        return report(context, prepared.error());
    }
    const auto lock = handover::Lock::take(prepared->root);
    if (!lock) {
        (void)report(context, lock.error());
        return ExitCode::refused;
    }
    if (prepared->plan.refused()) {
        for (const Message& refusal : prepared->plan.refusals) {
            context.complain("stillboot: " + refusal.sentence());
        }
        return ExitCode::refused;
    }
    if (const auto refused =
            refuse_cut_off(context, prepared->root, prepared->inventory, prepared->plan, even_if_cut_off)) {
        return *refused;
    }
    quiesce::SystemPorts system(prepared->root);
    quiesce::RunStateStore store(prepared->root);
    quiesce::ExecuteOptions options;
    options.policy = prepared->policy;
    options.runner.persist = persist_in(store, prepared->root);
    options.runner.release_holders = prepared->settings.release_holders.value;
    const StopSignals signals(even_if_cut_off ? StopSignals::Hangup::is_ignored : StopSignals::Hangup::stops);
    options.runner.stop = signals.token();
    ProgressPrinter printer(context);
    const SystemClock clock;
    const auto began = clock.now();
    options.runner.on_progress = [&](const quiesce::StepProgress& progress) {
        if (!context.wants_json()) {
            const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - began);
            printer.print(handover::progress_of(handover::event_of(progress, elapsed), {}));
        }
    };
    const quiesce::Execution execution =
        quiesce::execute(prepared->plan, prepared->inventory, system.ports(), options);
    if (!execution.ok()) {
        return put_back(context, execution, system.ports(), store);
    }
    const auto verification = quiesce::verify(system.ports(), prepared->plan);
    if (!verification) {
        return report(context, verification.error());
    }
    print_verdicts(context, *verification);
    return verification->at_rest() ? ExitCode::done : ExitCode::failed;
}

ExitCode undo_run(const Context& context) {
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    if (const auto refused = refuse_without_root(context)) {
        return *refused;
    }
    const StopSignals signals(StopSignals::Hangup::is_ignored);  // it has nothing to go back to
    const Settings settings = settings_of(context, *root);
    handover::Unobserved observer;
    const handover::MachinePorts machine(*root, policy_of(context, *root, settings), settings, observer);
    const auto recovery =
        handover::recover(machine.ports(), [&] { return handover::wait_for_store(*root, settings); });
    if (!recovery) {
        const ExitCode code = report(context, recovery.error());
        return recovery.error().code() == "handover.busy" ? ExitCode::refused : code;
    }
    if (!*recovery) {
        context.line(Message("cli.nothing_to_undo").sentence());
        return ExitCode::done;
    }
    for (const Message& lost : (*recovery)->not_back) {
        context.complain("stillboot: " + lost.sentence());
    }
    context.line(Message((*recovery)->complete() ? "cli.put_back" : "cli.undo_again").sentence());
    return (*recovery)->complete() ? ExitCode::done : ExitCode::failed;
}

void add_plan(CLI::App& quiesce, const Context& context, Action& action) {
    CLI::App* verb = quiesce.add_subcommand(
        "plan", "What would be unbound in which order, what is kept and why; touches nothing");
    auto file = std::make_shared<std::string>();
    verb->add_option("--inventory", *file,
                     "Plan this recorded machine (- is the standard input), by the shipped rules");
    verb->callback([&context, &action, file] {
        action = [&context, file] {
            return file->empty() ? show_plan(context) : show_plan_of_file(context, *file);
        };
    });
}

void add_run(CLI::App& quiesce, const Context& context, Action& action) {
    CLI::App* verb = quiesce.add_subcommand("run", "Unbind the devices; disks and network are gone afterwards");
    auto cut_off = std::make_shared<bool>(false);
    verb->add_flag(cut_off_option, *cut_off, "Also where that ends the session it is asked from");
    verb->callback(
        [&context, &action, cut_off] { action = [&context, cut_off] { return run_plan(context, *cut_off); }; });
}

void add_record(CLI::App& quiesce, const Context& context, Action& action) {
    CLI::App* verb = quiesce.add_subcommand(
        "record", "Write the machine's devices as JSON, for a bug report or for plan --inventory");
    auto identities = std::make_shared<bool>(false);
    verb->add_flag("--identities", *identities,
                   "Leave serial numbers, network addresses and names of volumes and servers in");
    verb->callback([&context, &action, identities] {
        action = [&context, identities] { return record_inventory(context, *identities); };
    });
}

void add_report(CLI::App& quiesce, const Context& context, Action& action) {
    CLI::App* verb = quiesce.add_subcommand(
        "report", "How the system before this one left its devices when kexec started this one");
    auto before = std::make_shared<bool>(false);
    auto after = std::make_shared<bool>(false);
    auto* first = verb->add_flag("--before-jump", *before, "At the end of a system: keep the plan for its report");
    verb->add_flag("--after-jump", *after, "At the start of one: claim the report for this system")
        ->excludes(first);
    verb->callback([&context, &action, before, after] {
        const auto when = *before ? ReportWhen::before_jump : *after ? ReportWhen::after_jump : ReportWhen::any;
        action = [&context, when] { return report_jump(context, when); };
    });
}

}  // namespace

void add_quiesce(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("quiesce", "Bring the devices to rest, without booting anything");
    verb->require_subcommand(1);
    add_plan(*verb, context, action);
    const auto add = [&](const char* name, const char* help, ExitCode (*run)(const Context&)) {
        verb->add_subcommand(name, help)->callback([&context, &action, run] {
            action = [&context, run] { return run(context); };
        });
    };
    add_run(*verb, context, action);
    add("undo", "Bind again what a run has unbound, or one that was cut off", undo_run);
    add("verify", "Whether each device is still, kept, contained or moving; touches nothing", show_verdicts);
    add_record(*verb, context, action);
    add_learned(*verb, context, action);
    add_report(*verb, context, action);
    add_rules(*verb, context, action);
}

}  // namespace stillboot::cli
