// SPDX-License-Identifier: Apache-2.0
// stillboot load: a kernel by hand, with or without the jump; without the daemon.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

#include "daemon/handover/machine_ports.hpp"
#include "daemon/handover/progress.hpp"
#include "kexec/handover/executor.hpp"
#include "ui/cli/machine.hpp"
#include "ui/cli/mistakes.hpp"
#include "ui/cli/progress.hpp"
#include "ui/cli/stop_signals.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

struct LoadOrder {
    std::string kernel;
    std::vector<std::string> initrds;
    std::optional<std::string> devicetree;
    std::string append;
    bool exec = false;
    bool dry_run = false;
    bool even_if_cut_off = false;
};

class PrintingObserver final : public handover::Observer {
public:
    explicit PrintingObserver(const Context& context) : context_(context), printer_(context) {}
    void on_event(const handover::Event& event) override { printer_.print(handover::progress_of(event, {})); }
    void on_line(const Message& line) override { context_.line(line.sentence()); }

private:
    const Context& context_;
    ProgressPrinter printer_;
};

/// A file of this machine. @error cli.no_such_path
Result<handover::ImageSource> local_file(const std::string& path) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error);
    if (error || !std::filesystem::exists(absolute, error)) {
        return Error("cli.no_such_path", {{"path", path}});
    }
    handover::ImageSource source;
    source.path = absolute.string();
    return source;
}

Result<handover::Request> request_of(const LoadOrder& order) {
    handover::Request request;
    request.title = order.kernel;
    request.by = "stillboot load";
    request.command_line = order.append;
    auto kernel = local_file(order.kernel);
    if (!kernel) {
        return kernel.error();
    }
    request.kernel = std::move(*kernel);
    for (const std::string& path : order.initrds) {
        auto initrd = local_file(path);
        if (!initrd) {
            return initrd.error();
        }
        request.initrds.push_back(std::move(*initrd));
    }
    if (order.devicetree) {
        auto devicetree = local_file(*order.devicetree);
        if (!devicetree) {
            return devicetree.error();
        }
        request.devicetree = std::move(*devicetree);
    }
    return request;
}

ExitCode report_outcome(const Context& context, const handover::Outcome& outcome) {
    for (const Message& note : outcome.notes) {
        context.line(note.sentence());
    }
    if (outcome.loaded()) {
        context.line("The kernel is loaded. To jump into it: systemctl kexec, or kexec -e");
        return ExitCode::done;
    }
    for (const Message& lost : outcome.not_back) {
        context.complain("stillboot: " + lost.sentence());
    }
    const ExitCode code = report(context, *outcome.failure);
    return outcome.failure->code() == "handover.busy" ? ExitCode::refused : code;
}

/// What the jump would do to the one who asks for it, said before the kernel is even looked at.
std::optional<ExitCode> refuse_jump(const Context& context, const Root& root, const Settings& settings,
                                    bool even_if_cut_off) {
    if (const auto refused = refuse_where_impossible(context, root)) {
        return refused;
    }
    const auto inventory = quiesce::read_inventory(root);
    if (!inventory) {
        return report(context, inventory.error());
    }
    return refuse_cut_off(context, root, *inventory,
                          quiesce::make_plan(*inventory, policy_with_memory_of(context, root, settings)),
                          even_if_cut_off);
}

ExitCode load(const Context& context, const LoadOrder& order) {
    const auto request = request_of(order);
    if (!request) {
        (void)report(context, request.error());
        return ExitCode::not_found;
    }
    if (const auto refused = refuse_without_root(context)) {
        return *refused;
    }
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    const Settings settings = settings_of(context, *root);
    if (order.exec) {
        if (const auto refused = refuse_jump(context, *root, settings, order.even_if_cut_off)) {
            return *refused;
        }
    }
    const StopSignals signals(order.even_if_cut_off ? StopSignals::Hangup::is_ignored
                                                    : StopSignals::Hangup::stops);
    PrintingObserver observer(context);
    const handover::MachinePorts machine(*root, policy_of(context, *root, settings), settings, observer);
    handover::Options wanted = handover::handover_options(settings);
    wanted.goal = order.exec ? handover::Options::Goal::jump : handover::Options::Goal::load_only;
    const auto plan = handover::prepare(*request, wanted, machine.ports());
    if (!plan) {
        return report(context, plan.error());
    }
    if (order.dry_run) {
        for (const std::string& line : plan->text()) {
            context.line(line);
        }
        return plan->refusals.empty() ? ExitCode::done : ExitCode::refused;
    }
    for (const Message& refusal : plan->refusals) {
        context.complain("stillboot: " + refusal.sentence());
    }
    if (!plan->refusals.empty()) {
        return ExitCode::refused;
    }
    const handover::Outcome outcome = handover::run(*plan, machine.ports(), signals.token());
    if (order.exec) {
        (void)handover::note_ended(machine.ports(), *request, outcome);
    }
    return report_outcome(context, outcome);
}

}  // namespace

void add_load(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("load", "Load a kernel from this machine's files");
    auto order = std::make_shared<LoadOrder>();
    verb->add_option("KERNEL", order->kernel, "The kernel's file")->required();
    verb->add_option("--initrd", order->initrds, "An initrd; may be given several times, in order")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    verb->add_option("--devicetree", order->devicetree, "A devicetree for it");
    verb->add_option("--append", order->append, "Its command line");
    auto* const exec = verb->add_flag("--exec", order->exec, "Bring the devices to rest and jump into it");
    verb->add_flag(cut_off_option, order->even_if_cut_off, "With --exec: also where that ends this session")
        ->needs(exec);
    verb->add_flag("--dry-run", order->dry_run, "Say what would be done, and do nothing");
    verb->callback([&context, &action, order] { action = [&context, order] { return load(context, *order); }; });
}

}  // namespace stillboot::cli
