// SPDX-License-Identifier: Apache-2.0
// The executor: every act is journalled and recorded before it is done.
#include "quiesce/executor.hpp"

#include <algorithm>

namespace stillboot::quiesce {
namespace {

// What was bound between the reading and autoprobe going off is unbound in further rounds.
constexpr int max_rounds = 3;

bool keeps_all(const Plan& plan, const Bindings& bindings) {
    Bindings kept;
    for (const Kept& each : plan.kept) {
        kept[each.path] = each.driver;
    }
    return std::includes(kept.begin(), kept.end(), bindings.begin(), bindings.end());
}

class Executor {
public:
    Executor(const Ports& ports, const ExecuteOptions& options)
        : ports_(ports),
          options_(options),
          runner_(ports, options_.runner, execution_.record, execution_.outcomes) {}

    Execution run(const Plan& plan, const Inventory& machine) {
        if (plan.refused()) {
            fail(Error("quiesce.refused", {{"reason", plan.refusals.front().sentence()}}));
        } else {
            execution_.record = begin_record(ports_.root, ports_.entries, machine, plan);
            if (!plan.hands_off && stop_events() && stop_autoprobe(machine) && run_steps(plan.steps)) {
                unbind_late_comers(plan);
            }
        }
        return std::move(execution_);
    }

private:
    bool fail(Error error) {
        ports_.journal.line(error.message());
        execution_.failure = std::move(error);
        return false;
    }

    // Between acts: may the next one be done? Its record and its line come first.
    bool announce(const Message& act) {
        if (options_.runner.stop.stop_requested()) {
            return fail(Error("quiesce.cancelled"));
        }
        if (options_.runner.persist) {
            if (auto kept = options_.runner.persist(execution_.record); !kept) {
                return fail(kept.error());
            }
        }
        ports_.journal.line(act);
        return true;
    }

    bool stop_events() {
        // A kernel without the setting, or a command line that has fixed it, costs journal lines at worst.
        if (auto before = unlimit_kernel_log(ports_.root)) {
            execution_.record.printk_devkmsg = *before;
        }
        execution_.record.udev_stopped = true;
        if (!announce(Message("quiesce.journal_udev_stop"))) {
            return false;
        }
        if (auto stopped = ports_.events.stop(); !stopped) {
            return fail(stopped.error());
        }
        return true;
    }

    bool stop_autoprobe(const Inventory& machine) {
        // Recorded whole before the first is switched off: an undo may write a value that is there already.
        execution_.record.autoprobe = machine.autoprobe;
        if (!announce(
                Message("quiesce.journal_autoprobe", {{"count", std::uint64_t{machine.autoprobe.size()}}}))) {
            return false;
        }
        for (const auto& [bus, before] : machine.autoprobe) {
            auto written = ports_.root.write_attribute("/sys/bus/" + bus + "/drivers_autoprobe", "0");
            if (!written) {
                return fail(
                    Error::from_errno(written.error().error_number(), "quiesce.autoprobe_failed", {{"bus", bus}}));
            }
        }
        return true;
    }

    bool run_steps(const std::vector<PlanStep>& steps) {
        auto done = runner_.run(steps);
        if (!done) {
            execution_.failure = done.error();  // the runner has journalled it
        }
        return done.has_value();
    }

    // All of the machine is read again only where something is bound that the plan does not keep.
    Result<Plan> plan_late_comers(const Plan& plan) {
        const auto bindings = read_bindings(ports_.root);
        if (!bindings) {
            return bindings.error();
        }
        if (keeps_all(plan, *bindings)) {
            return Plan();
        }
        auto inventory = read_inventory(ports_.root, ports_.creation_order);
        if (!inventory) {
            return inventory.error();
        }
        Plan late = make_plan(*inventory, options_.policy);
        return late.refused()
                   ? Result<Plan>(Error("quiesce.refused", {{"reason", late.refusals.front().sentence()}}))
                   : Result<Plan>(std::move(late));
    }

    void unbind_late_comers(const Plan& plan) {
        std::string again;
        for (int round = 0; round < max_rounds; ++round) {
            const auto late = plan_late_comers(plan);
            if (!late) {
                fail(late.error());
                return;
            }
            if (late->steps.empty() || !run_steps(late->steps)) {
                return;
            }
            again = late->steps.front().name + " (" + late->steps.front().driver + ")";
        }
        fail(Error("quiesce.binds_again", {{"device", again}}));
    }

    const Ports& ports_;
    const ExecuteOptions& options_;
    Execution execution_;
    StepRunner runner_;
};

}  // namespace

Execution execute(const Plan& plan, const Inventory& machine, const Ports& ports, const ExecuteOptions& options) {
    return Executor(ports, options).run(plan, machine);
}

}  // namespace stillboot::quiesce
