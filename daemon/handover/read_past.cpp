// SPDX-License-Identifier: Apache-2.0
// The state store and the firmware, as this start finds them.
#include "daemon/handover/read_past.hpp"

#include <algorithm>
#include <utility>

#include "daemon/handover/machine_ports.hpp"
#include "daemon/platform/platform.hpp"
#include "kexec/handover/system_watchdog.hpp"

namespace stillboot::handover {
namespace {

std::optional<protocol::HandoverReport> report_of(const std::optional<quiesce::JumpReport>& kept) {
    if (!kept) {
        return std::nullopt;
    }
    const auto ms = [](std::chrono::milliseconds time) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
    };
    protocol::HandoverReport report;
    report.kind = quiesce::to_word(kept->kind);
    report.from_boot = kept->from_boot;
    report.unbound = kept->unbound;
    report.took_ms = ms(kept->took);
    for (const auto& device : kept->devices) {
        report.devices.push_back({device.name, device.driver, device.rest, device.why});
    }
    for (const auto& step : kept->slowest) {
        report.slowest.push_back({step.name, step.driver, step.end, ms(step.took)});
    }
    return report;
}

// What the firmware is asked for, unless the machine went down when it had just been used up.
std::optional<std::string> read_entry(const Root& root, const std::optional<std::string>& used,
                                      std::vector<Message>& notes) {
    const auto platform = platform::platform_of(root);
    auto entry = platform->entry_once();
    if (entry && *entry && *entry == used) {
        const auto forgotten = platform->set_entry_once(std::nullopt);
        entry = forgotten ? Result<std::optional<std::string>>(std::nullopt) : forgotten.error();
    }
    if (!entry) {
        notes.push_back(entry.error().message());
        return std::nullopt;
    }
    return std::move(*entry);
}

// @return what the firmware was asked for, where the attempt of an earlier kernel had used it up
std::optional<std::string> read_store(const Root& root, const Settings& settings, Past& past) {
    const auto store = open_store(root, settings);
    if (store == nullptr) {
        past.notes.push_back(why_no_store(root, settings));
        return std::nullopt;
    }
    auto found = look_back(*store, quiesce::current_boot_id(root), watchdog_fired(root));
    if (!found) {
        past.notes.push_back(found.error().message());
        return std::nullopt;
    }
    past.notes = std::move(found->notes);
    past.retry = std::move(found->retry);
    if (found->hold) {
        past.deaths_of = found->state.deaths.option_id;
    }
    past.choices = found->state.choices;
    past.settings = found->state.settings;
    past.attempts = found->state.attempts;
    past.report = report_of(found->state.report);
    for (const quiesce::Learned& learned : found->state.learned) {
        if (learned.is_kept()) {
            past.notes.push_back(learned.message());
        }
    }
    return std::move(found->used_entry);
}

}  // namespace

Past read_past(const Root& root, const Settings& settings) {
    Past past;
    const auto used = read_store(root, settings, past);
    past.entry_once = read_entry(root, used, past.notes);
    return past;
}

}  // namespace stillboot::handover
