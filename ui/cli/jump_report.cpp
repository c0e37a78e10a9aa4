// SPDX-License-Identifier: Apache-2.0
// Keeps, claims and prints reports of jumps.
#include "ui/cli/jump_report.hpp"

#include <unistd.h>

#include <boost/json.hpp>

#include "config/base/process.hpp"
#include "daemon/handover/machine_ports.hpp"
#include "kexec/handover/report.hpp"
#include "kexec/handover/state.hpp"
#include "kexec/loader.hpp"
#include "quiesce/inventory.hpp"
#include "quiesce/jump_report.hpp"
#include "quiesce/record.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/machine.hpp"

namespace stillboot::cli {
namespace {

constexpr std::size_t max_command_line = 64 * 1024;

// What the hook will find: by then nobody uses anything any more.
ExitCode keep_plan(const Context& context, const Root& root, quiesce::ReportFile& file) {
    SystemProcessRunner runner;
    const auto loaded = kexec::SystemLoader(root, runner).loaded();
    if (!loaded || !*loaded) {
        context.line(Message("cli.report_not_kept").sentence());
        const auto there = file.read();
        if (there && *there && (*there)->to_boot == quiesce::current_boot_id(root)) {
            return ExitCode::done;  // this system's own, which may be asked for again
        }
        const auto cleared = file.clear();
        return cleared ? ExitCode::done : report(context, cleared.error());
    }
    auto inventory = quiesce::read_inventory(root);
    if (!inventory) {
        return report(context, inventory.error());
    }
    inventory->users.clear();
    const auto plan = quiesce::make_plan(*inventory, policy_of(context, root, settings_of(context, root)));
    const auto kept = quiesce::planned_report(plan, quiesce::current_boot_id(root));
    if (const auto written = file.write(kept); !written) {
        return report(context, written.error());
    }
    context.line(
        Message("cli.report_kept",
                {{"unbound", kept.unbound}, {"kept", std::uint64_t{kept.devices.size()}}, {"source", file.name()}})
            .sentence());
    return ExitCode::done;
}

void print_report(const Context& context, const quiesce::FoundReport& found, std::optional<bool> by_kexec) {
    const quiesce::JumpReport& report = found.report;
    if (context.wants_json()) {
        boost::json::value value = boost::json::parse(to_text(report));
        value.as_object()["source"] = found.source;
        print_json(context, value);
        return;
    }
    context.line(
        Message(by_kexec ? "cli.report_by_kexec" : "cli.report_after", {{"boot", report.from_boot}}).sentence());
    const bool done = report.kind == quiesce::JumpReport::Kind::done;
    context.line(
        Message(done ? "cli.report_done" : "cli.report_planned", {{"unbound", report.unbound},
                                                                  {"others", std::uint64_t{report.devices.size()}},
                                                                  {"source", found.source}})
            .sentence());
    for (const auto& device : report.devices) {
        context.line(device.rest + " " + device.name + " (" + device.driver + "): " + device.why);
    }
    for (const auto& step : report.slowest) {
        context.line(Message("cli.report_step", {{"device", step.name},
                                                 {"driver", step.driver},
                                                 {"end", step.end},
                                                 {"ms", std::int64_t{step.took.count()}}})
                         .sentence());
    }
    if (report.took.count() > 0) {
        context.line(Message("cli.report_took", {{"ms", std::int64_t{report.took.count()}}}).sentence());
    }
}

// What the hand-over itself wrote for this kernel, where `report_on_command_line` had it do so.
void print_word(const Context& context, std::string_view word) {
    if (context.wants_json()) {
        print_json(context, boost::json::object{{"source", "command line"}, {"report", word}});
    } else {
        context.line(Message("cli.report_on_command_line", {{"report", word}}).sentence());
    }
}

// A report that this boot does not claim is of no jump that anybody will ask about.
void settle(const Context& context, const std::optional<quiesce::FoundReport>& found, const Root& root,
            quiesce::ReportFile& file) {
    const auto lies_there = file.read();
    Result<void> settled;
    if (found && found->source == file.name()) {
        quiesce::JumpReport claimed = found->report;
        claimed.to_boot = quiesce::current_boot_id(root);
        settled = file.write(claimed);
    } else if (!lies_there || *lies_there) {
        settled = file.clear();
    }
    if (!settled) {
        context.complain("stillboot: " + settled.error().sentence());
    }
}

}  // namespace

ExitCode report_jump(const Context& context, ReportWhen when) {
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    quiesce::ReportFile file(*root);
    if (when == ReportWhen::before_jump) {
        return keep_plan(context, *root, file);
    }
    quiesce::PersistentLog log(*root);
    std::vector<quiesce::ReportSource*> sources = {&file};
    // Its partition is not ours to mount without root, or below a directory that only stands for a machine.
    const auto store = ::geteuid() == 0 && context.root == "/"
                           ? handover::open_store(*root, settings_of(context, *root))
                           : nullptr;
    std::optional<handover::StoredReport> stored;
    if (store != nullptr) {
        sources.push_back(&stored.emplace(*store));
    }
    sources.push_back(&log);  // the last, for it may hold what is older than all others
    std::vector<Message> problems;
    const auto found = quiesce::find_report(sources, *root, problems);
    for (const Message& problem : problems) {
        context.complain("stillboot: " + problem.sentence());
    }
    if (when == ReportWhen::after_jump) {
        settle(context, found, *root, file);
    }
    const auto by_kexec = quiesce::started_by_kexec(*root);
    if (found) {
        print_report(context, *found, by_kexec);
        return ExitCode::done;
    }
    const std::string command_line = root->read_file("/proc/cmdline", max_command_line).value_or("");
    if (const auto word = handover::report_in(command_line); !word.empty()) {
        print_word(context, word);
        return ExitCode::done;
    }
    const bool jumped = by_kexec.value_or(false);
    context.line(Message(jumped ? "cli.report_unknown" : "cli.report_none").sentence());
    return when == ReportWhen::after_jump ? ExitCode::done : ExitCode::not_found;
}

}  // namespace stillboot::cli
