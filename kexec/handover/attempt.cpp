// SPDX-License-Identifier: Apache-2.0
// Writing down each step in both places.
#include "kexec/handover/attempt.hpp"

#include <algorithm>
#include <iterator>

#include "kexec/handover/system_watchdog.hpp"

namespace stillboot::handover {

namespace {

// Nothing is undone there: of the devices it needs those alone that are under way, and a store is small.
Record for_next_kernel(const Record& record) {
    Record kept = record;
    kept.devices = {};
    kept.devices.boot_id = record.devices.boot_id;
    kept.devices.in_flight = record.devices.in_flight;
    for (const quiesce::RecordedDevice& device : record.devices.unbound) {
        const auto& in_flight = kept.devices.in_flight;
        if (std::find(in_flight.begin(), in_flight.end(), device.path) != in_flight.end()) {
            kept.devices.unbound.push_back(device);
        }
    }
    return kept;
}

}  // namespace

Attempt::Attempt(const Ports& ports, const Request& request, std::string command_line, bool watchdog)
    : ports_(ports),
      begun_(attempt_of(request)),
      must_record_(request.must_record),
      entry_once_(request.entry_once) {
    record_.boot_id = quiesce::current_boot_id(ports.root);
    record_.option_id = request.option_id;
    record_.title = request.title;
    record_.command_line = std::move(command_line);
    record_.attempt = request.attempt;
    record_.watchdog = watchdog;
    static_cast<UsedUp&>(record_) = request.used_before;
    record_.overrides.initrds = request.overrides.initrds;
    record_.overrides.devicetree = request.overrides.devicetree;
    record_.began = begun_.when;
    record_.devices.boot_id = record_.boot_id;
    if (auto earlier = left_over(ports.run_store, ports.root); earlier && *earlier) {
        is_owed_for_ = true;
        still_unbound_ = std::move((*earlier)->devices.unbound);
    }
}

Result<bool> Attempt::note_trial() const {
    if (is_owed_for_) {
        return false;
    }
    Record trial = record_;
    trial.step = Step::trial_load;
    const auto written = ports_.run_store.write(to_text(trial));
    return written ? Result<bool>(true) : written.error();
}

Result<void> Attempt::commit() {
    if (remembers()) {
        // A person may have chosen before the daemon looked back.
        auto past = look_back(*ports_.durable_store, record_.boot_id, watchdog_fired(ports_.root));
        if (past) {
            state_ = std::move(past->state);
            state_.report.reset();
            notes_ = std::move(past->notes);
            handover::remember(state_.attempts, begun_);
            use_up_one_shot();
        } else {
            store_failed(past.error());
        }
    }
    if (entry_once_) {
        record_.entry_once = entry_once_;
    }
    if (auto written = enter(Step::commit); !written) {
        return written;
    }
    std::optional<Error> not_used = store_failure_;
    if (entry_once_) {
        const auto used = use_up_entry();
        not_used = used ? std::optional<Error>() : used.error();
    }
    if (not_used && must_record_ == MustRecord::choice) {
        return Error("handover.cannot_use_up", {{"title", record_.title}, {"reason", not_used->sentence()}});
    }
    return {};
}

// After the record, which says that it is used: whoever reads that uses it up where the power went between the
// two.
Result<void> Attempt::use_up_entry() {
    auto used = ports_.entry_once.set(std::nullopt);
    if (!used) {
        record_.entry_once.reset();  // it is still there: nothing to give back
        notes_.push_back(used.error().message());
        ports_.journal.line(used.error().message());
    }
    return used;
}

// Used with the record, and so even where the power goes in the next moment: it must never boot twice.
void Attempt::use_up_one_shot() {
    std::optional<Choice>& one_shot = state_.choices.one_shot;
    if (one_shot && one_shot->option_id == record_.option_id) {
        record_.one_shot = std::exchange(one_shot, std::nullopt);
    }
}

Result<void> Attempt::enter(Step step) {
    record_.step = step;
    return write();
}

Result<void> Attempt::will_count(const Try& one) {
    record_.counted = one;
    record_.counted->file.place = quiesce::place_of(ports_.root, one.file.node);
    return write();
}

Result<void> Attempt::will_close(std::vector<Volume> volumes) {
    if (volumes.empty()) {
        return {};
    }
    record_.volumes = std::move(volumes);
    return write();
}

Result<void> Attempt::keep(const quiesce::UndoRecord& devices) {
    set_devices(devices);
    return write();
}

void Attempt::set_devices(quiesce::UndoRecord devices) {
    const auto is_there = [&](const quiesce::RecordedDevice& earlier) {
        return std::any_of(
            devices.unbound.begin(), devices.unbound.end(), [&](const quiesce::RecordedDevice& each) {
                return each.identity == earlier.identity && (!each.identity.empty() || each.path == earlier.path);
            });
    };
    std::vector<quiesce::RecordedDevice> unbound;
    std::remove_copy_if(still_unbound_.begin(), still_unbound_.end(), std::back_inserter(unbound), is_there);
    devices.unbound.insert(devices.unbound.begin(), unbound.begin(), unbound.end());
    record_.devices = std::move(devices);
}

bool Attempt::remembers() const {
    return ports_.durable_store != nullptr && !record_.store_gone && !store_failure_;
}

Result<void> Attempt::write() {
    if (auto written = ports_.run_store.write(to_text(record_)); !written) {
        return written;
    }
    remember();
    return {};
}

// A store that fails costs the memory, not the boot: the machine must not be stuck on what is only a help.
void Attempt::remember() {
    if (!remembers()) {
        return;
    }
    state_.attempt = for_next_kernel(record_);
    if (auto written = write_state(*ports_.durable_store, state_); !written) {
        store_failed(written.error());
    }
}

void Attempt::store_failed(const Error& error) {
    store_failure_ = error;
    notes_.push_back(error.message());
    ports_.journal.line(error.message());
}

void Attempt::report(quiesce::JumpReport report) {
    const bool could = remembers();
    state_.report = std::move(report);
    remember();
    if (could && !store_failure_ && !state_.report) {
        const Message left_out("handover.report_left_out");
        notes_.push_back(left_out);
        ports_.journal.line(left_out);
    }
}

void Attempt::let_go_of_store(quiesce::JumpReport so_far) {
    if (remembers()) {
        state_.report = std::move(so_far);
        State last = state_;
        last.attempt = for_next_kernel(record_);
        last.attempt->store_gone = true;
        if (auto written = write_state(*ports_.durable_store, last); !written) {
            store_failed(written.error());
        }
    }
    record_.store_gone = true;
    if (ports_.durable_store != nullptr) {
        ports_.durable_store->close();
    }
}

bool Attempt::note_failure(const std::vector<quiesce::StepOutcome>& outcomes, bool wanted) {
    using End = quiesce::StepOutcome::End;
    bool any = false;
    for (const quiesce::StepOutcome& outcome : outcomes) {
        if (outcome.end != End::hung && outcome.end != End::crashed) {
            continue;
        }
        any = true;
        quiesce::Learned learned;
        learned.driver = outcome.step.driver;
        learned.bus = outcome.step.bus;
        learned.device = outcome.step.name;
        learned.why = outcome.end == End::hung ? quiesce::Learned::Why::hung : quiesce::Learned::Why::crashed;
        quiesce::learn(state_.learned, std::move(learned));
    }
    if (!any || !remembers()) {
        return false;
    }
    record_.retry = wanted && !record_.option_id.empty() && record_.attempt < max_attempts;
    if (record_.attempt >= max_attempts) {
        notes_.emplace_back("handover.given_up", std::initializer_list<Message::Param>{
                                                     {"title", record_.title}, {"attempts", max_attempts}});
    }
    remember();
    return record_.retry && !store_failure_;
}

void Attempt::give_up_retry() {
    record_.retry = false;
    remember();
}

}  // namespace stillboot::handover
