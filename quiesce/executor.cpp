// SPDX-License-Identifier: Apache-2.0
// The executor: every act is journalled and recorded before it is done.
#include "quiesce/executor.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::chrono::seconds sriov_deadline{60};
// What was bound between the reading and autoprobe going off is unbound in further rounds.
constexpr int max_rounds = 3;

class Executor {
public:
    Executor(const Ports& ports, const ExecuteOptions& options) : ports_(ports), options_(options) {}

    Execution run(const Plan& plan) {
        if (plan.refused()) {
            fail(Error("quiesce.refused", {{"reason", plan.refusals.front().sentence()}}));
        } else if (begin(plan) && prepare() && switch_off(plan) && unbind_all(plan.steps)) {
            unbind_late_comers();
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
        if (options_.stop.stop_requested()) {
            return fail(Error("quiesce.cancelled"));
        }
        if (options_.persist) {
            if (auto kept = options_.persist(execution_.record); !kept) {
                return fail(kept.error());
            }
        }
        ports_.journal.line(act);
        return true;
    }

    bool begin(const Plan& plan) {
        auto inventory = read_inventory(ports_.root, ports_.bind_order);
        if (!inventory) {
            return fail(inventory.error());
        }
        execution_.record = begin_record(ports_.root, *inventory, plan);
        autoprobe_ = std::move(inventory->autoprobe);
        return true;
    }

    bool prepare() {
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

    bool switch_off(const Plan& plan) {
        for (const auto& off : plan.sriov) {
            execution_.record.virtual_functions[off.path] = off.functions;
            if (!announce(Message("quiesce.journal_sriov", {{"device", off.path}}))) {
                return false;
            }
            const auto outcome = ports_.writer.write(ports_.root, off.path + "/sriov_numvfs", "0", sriov_deadline);
            if (outcome.hung()) {
                return fail_hung(off.path, "sriov_numvfs", sriov_deadline);
            }
            if (!outcome.done()) {
                return fail(
                    Error::from_errno(outcome.error_number, "quiesce.sriov_failed", {{"device", off.path}}));
            }
        }
        // Recorded whole before the first is switched off: an undo may write a value that is there already.
        execution_.record.autoprobe = autoprobe_;
        if (!announce(Message("quiesce.journal_autoprobe", {{"count", std::uint64_t{autoprobe_.size()}}}))) {
            return false;
        }
        for (const auto& [bus, before] : autoprobe_) {
            auto written = ports_.root.write_attribute("/sys/bus/" + bus + "/drivers_autoprobe", "0");
            if (!written) {
                return fail(
                    Error::from_errno(written.error().error_number(), "quiesce.autoprobe_failed", {{"bus", bus}}));
            }
        }
        return true;
    }

    bool fail_hung(const std::string& path, const std::string& what, std::chrono::seconds deadline) {
        execution_.record.hung.push_back(path);
        if (options_.persist) {
            (void)options_.persist(execution_.record);  // it failed already; the hang is the news
        }
        return fail(Error("quiesce.hung",
                          {{"device", path}, {"driver", what}, {"seconds", std::int64_t{deadline.count()}}}));
    }

    bool unbind_all(const std::vector<PlanStep>& steps) {
        const std::size_t before = execution_.outcomes.size();
        const std::size_t total = before + steps.size();
        for (const auto& step : steps) {
            if (options_.on_step) {
                options_.on_step(step, execution_.outcomes.size(), total);
            }
            if (!unbind_one(step, total)) {
                return false;
            }
        }
        return true;
    }

    RecordedDevice recorded(const PlanStep& step) const {
        const auto modalias = ports_.root.read_attribute(step.path + "/modalias");
        return {step.path,
                step.name,
                step.bus,
                step.driver,
                stable_identity(step.path),
                modalias ? *modalias : std::string()};
    }

    bool unbind_one(const PlanStep& step, std::size_t total) {
        const auto started = ports_.clock.now();
        const auto finish = [&](StepOutcome::End end, int error_number) {
            const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(ports_.clock.now() - started);
            execution_.outcomes.push_back({step, end, error_number, took});
        };
        execution_.record.unbound.push_back(recorded(step));
        const std::uint64_t number = execution_.outcomes.size() + 1;
        if (!announce(Message("quiesce.journal_unbind", {{"number", number},
                                                         {"total", std::uint64_t{total}},
                                                         {"device", step.name},
                                                         {"driver", step.driver},
                                                         {"bus", step.bus}}))) {
            execution_.record.unbound.pop_back();  // announced to the record perhaps, but not done
            return false;
        }
        if (current_driver(ports_.root, step.path) != step.driver) {
            finish(StepOutcome::End::already_gone, 0);
            return true;
        }
        const std::string file = "/sys/bus/" + step.bus + "/drivers/" + step.driver + "/unbind";
        const auto outcome = ports_.writer.write(ports_.root, file, step.name, step.deadline);
        if (outcome.hung()) {
            finish(StepOutcome::End::hung, 0);
            return fail_hung(step.path, step.driver, step.deadline);
        }
        if (outcome.done()) {
            finish(StepOutcome::End::unbound, 0);
            return true;
        }
        if (current_driver(ports_.root, step.path) != step.driver) {
            finish(StepOutcome::End::already_gone, outcome.error_number);
            return true;
        }
        finish(StepOutcome::End::failed, outcome.error_number);
        return fail(Error::from_errno(outcome.error_number, "quiesce.unbind_failed",
                                      {{"device", step.path}, {"driver", step.driver}}));
    }

    void unbind_late_comers() {
        for (int round = 0; round < max_rounds; ++round) {
            auto inventory = read_inventory(ports_.root, ports_.bind_order);
            if (!inventory) {
                fail(inventory.error());
                return;
            }
            const Plan late = make_plan(*inventory, options_.policy);
            if (late.refused()) {
                fail(Error("quiesce.refused", {{"reason", late.refusals.front().sentence()}}));
                return;
            }
            if (late.steps.empty() || !unbind_all(late.steps)) {
                return;
            }
        }
        fail(Error("quiesce.binds_again"));
    }

    const Ports& ports_;
    const ExecuteOptions& options_;
    Execution execution_;
    std::map<std::string, std::string, std::less<>> autoprobe_;
};

}  // namespace

std::string_view to_word(StepOutcome::End end) {
    switch (end) {
        case StepOutcome::End::unbound: return "unbound";
        case StepOutcome::End::already_gone: return "already gone";
        case StepOutcome::End::failed: return "failed";
        case StepOutcome::End::hung: return "hung";
    }
    return "";
}

Execution execute(const Plan& plan, const Ports& ports, const ExecuteOptions& options) {
    return Executor(ports, options).run(plan);
}

}  // namespace stillboot::quiesce
