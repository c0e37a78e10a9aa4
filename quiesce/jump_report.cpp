// SPDX-License-Identifier: Apache-2.0
// Reports as JSON, where they lie, and which of them is ours.
#include "quiesce/jump_report.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "config/base/utf8.hpp"
#include "quiesce/record.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

namespace json = boost::json;

constexpr std::size_t max_report_bytes = 1024 * 1024;
constexpr std::size_t max_devices = 200;
constexpr std::size_t max_slowest = 20;
constexpr std::string_view log_prefix = "stillboot-report ";

// Of an object of ours; text that is none is empty.
std::string text_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

ReportedDevice device_from(const json::value& value) {
    ReportedDevice device;
    if (const auto* object = value.if_object()) {
        device.name = text_at(*object, "name");
        device.driver = text_at(*object, "driver");
        device.rest = text_at(*object, "rest");
        device.why = text_at(*object, "why");
    }
    return device;
}

std::chrono::milliseconds milliseconds_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return std::chrono::milliseconds(value != nullptr && value->is_int64() ? value->get_int64() : 0);
}

ReportedStep step_from(const json::value& value) {
    ReportedStep step;
    if (const auto* object = value.if_object()) {
        step.name = text_at(*object, "name");
        step.driver = text_at(*object, "driver");
        step.end = text_at(*object, "end");
        step.took = milliseconds_at(*object, "took_ms");
    }
    return step;
}

/// A report of the jump into this kernel, as far as it can be told.
bool is_ours(const JumpReport& report, std::string_view boot_id, std::optional<bool> by_kexec) {
    if (!report.to_boot.empty()) {
        return report.to_boot == boot_id;
    }
    return report.from_boot != boot_id && by_kexec.value_or(true);
}

}  // namespace

std::string_view to_word(JumpReport::Kind kind) {
    return kind == JumpReport::Kind::done ? "done" : "planned";
}

std::string to_text(const JumpReport& report) {
    json::array devices;
    for (const auto& device : report.devices) {
        devices.push_back(json::object{
            {"name", device.name}, {"driver", device.driver}, {"rest", device.rest}, {"why", device.why}});
    }
    json::array slowest;
    for (const auto& step : report.slowest) {
        slowest.push_back(json::object{
            {"name", step.name}, {"driver", step.driver}, {"end", step.end}, {"took_ms", step.took.count()}});
    }
    return valid_utf8(json::serialize(json::object{{"format", JumpReport::format_version},
                                                   {"kind", to_word(report.kind)},
                                                   {"from_boot", report.from_boot},
                                                   {"to_boot", report.to_boot},
                                                   {"unbound", report.unbound},
                                                   {"took_ms", report.took.count()},
                                                   {"devices", std::move(devices)},
                                                   {"slowest", std::move(slowest)}}) +
                      "\n");
}

Result<JumpReport> jump_report_from_text(std::string_view text) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(text, failure);
    const auto* object = failure ? nullptr : parsed.if_object();
    const auto* format = object == nullptr ? nullptr : object->if_contains("format");
    if (format == nullptr || !format->is_int64()) {
        return Error("quiesce.report_damaged");
    }
    if (format->get_int64() > JumpReport::format_version) {
        return Error("quiesce.report_newer", {{"format", format->get_int64()}});
    }
    JumpReport report;
    report.kind = text_at(*object, "kind") == to_word(JumpReport::Kind::done) ? JumpReport::Kind::done
                                                                              : JumpReport::Kind::planned;
    report.from_boot = text_at(*object, "from_boot");
    report.to_boot = text_at(*object, "to_boot");
    const auto* unbound = object->if_contains("unbound");
    const auto* devices = object->if_contains("devices");
    if (report.from_boot.empty() || unbound == nullptr || !unbound->is_int64() || unbound->get_int64() < 0 ||
        devices == nullptr || !devices->is_array()) {
        return Error("quiesce.report_damaged");
    }
    report.unbound = static_cast<std::uint64_t>(unbound->get_int64());
    for (const auto& device : devices->get_array()) {
        report.devices.push_back(device_from(device));
    }
    report.took = milliseconds_at(*object, "took_ms");
    if (const auto* slowest = object->if_contains("slowest"); slowest != nullptr && slowest->is_array()) {
        for (const auto& step : slowest->get_array()) {
            report.slowest.push_back(step_from(step));
        }
    }
    return report;
}

JumpReport planned_report(const Plan& plan, std::string boot_id) {
    JumpReport report;
    report.from_boot = std::move(boot_id);
    for (const auto& step : plan.steps) {
        report.unbound += step.action == StepAction::unbind ? 1 : 0;
    }
    for (const auto& kept : plan.kept) {
        if (!kept.follows && report.devices.size() < max_devices) {
            report.devices.push_back({kept.name, kept.driver, "kept", kept.reason.sentence()});
        }
    }
    return report;
}

JumpReport done_report(const Verification& verification, const std::vector<StepOutcome>& outcomes,
                       std::chrono::milliseconds took, std::string boot_id) {
    JumpReport report;
    report.kind = JumpReport::Kind::done;
    report.from_boot = std::move(boot_id);
    report.unbound =
        static_cast<std::uint64_t>(std::count_if(outcomes.begin(), outcomes.end(), [](const StepOutcome& outcome) {
            return outcome.step.action == StepAction::unbind && outcome.end == StepOutcome::End::done;
        }));
    for (const Verdict& verdict : verification.verdicts) {
        if (verdict.rest != Rest::still && report.devices.size() < max_devices) {
            report.devices.push_back(
                {verdict.name, verdict.driver, std::string(to_word(verdict.rest)), verdict.why.sentence()});
        }
    }
    report.slowest = slowest_of(outcomes);
    report.took = took;
    return report;
}

std::vector<ReportedStep> slowest_of(const std::vector<StepOutcome>& outcomes) {
    std::vector<ReportedStep> steps;
    for (const StepOutcome& outcome : outcomes) {
        steps.push_back({outcome.step.name, outcome.step.driver, std::string(to_word(outcome.end)), outcome.took});
    }
    std::stable_sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.took > b.took; });
    steps.resize(std::min(steps.size(), max_slowest));
    return steps;
}

std::string PersistentLog::line_of(const JumpReport& report) {
    std::string text = to_text(report);
    text.pop_back();
    return std::string(log_prefix) + text;
}

Result<std::optional<JumpReport>> PersistentLog::read() {
    std::string last;
    for (const std::string_view directory : {"/var/lib/systemd/pstore", "/sys/fs/pstore"}) {
        for (const std::string& name : root_.list(directory).value_or(std::vector<std::string>())) {
            if (!name.starts_with("pmsg-")) {
                continue;
            }
            const std::string path = std::string(directory) + "/" + name;
            const std::string log = root_.read_file(path, max_report_bytes).value_or("");
            for (std::string& line : split(log, "\n")) {
                if (line.starts_with(log_prefix)) {
                    last = line.substr(log_prefix.size());
                }
            }
        }
    }
    if (last.empty()) {
        return std::optional<JumpReport>();
    }
    auto report = jump_report_from_text(last);
    return report ? Result<std::optional<JumpReport>>(*std::move(report)) : report.error();
}

Result<std::optional<JumpReport>> ReportFile::read() {
    const auto text = root_.read_file(path_, max_report_bytes);
    if (!text) {
        return text.error().error_number() == ENOENT ? Result<std::optional<JumpReport>>(std::nullopt)
                                                     : text.error();
    }
    auto report = jump_report_from_text(*text);
    return report ? Result<std::optional<JumpReport>>(*std::move(report)) : report.error();
}

Result<void> ReportFile::write(const JumpReport& report) {
    if (auto made = root_.make_directories(path_.substr(0, path_.rfind('/'))); !made) {
        return made;
    }
    return root_.replace_file(path_, to_text(report));
}

Result<void> ReportFile::clear() {
    return root_.exists(path_) ? root_.remove_file(path_) : Result<void>();
}

std::optional<bool> started_by_kexec(const Root& root) {
    constexpr std::uint64_t kexec_loader = 0xd;
    if (root.exists("/proc/device-tree/chosen/linux,booted-from-kexec")) {
        return true;
    }
    const std::string type = attribute_or_empty(root, "/proc/sys/kernel/bootloader_type");
    if (type.empty()) {
        return std::nullopt;
    }
    return parse_number(type, 10) >> 4 == kexec_loader;
}

std::optional<FoundReport> find_report(const std::vector<ReportSource*>& sources, const Root& root,
                                       std::vector<Message>& problems) {
    const std::string boot_id = current_boot_id(root);
    const auto by_kexec = started_by_kexec(root);
    std::optional<FoundReport> plan;
    std::vector<FoundReport> done;
    for (ReportSource* source : sources) {
        auto report = source->read();
        if (!report) {
            problems.push_back(report.error().message());
        } else if (*report && is_ours(**report, boot_id, by_kexec)) {
            FoundReport found{**report, source->name()};
            if (found.report.kind == JumpReport::Kind::done) {
                done.push_back(std::move(found));
            } else if (!plan) {
                plan = std::move(found);
            }
        }
    }
    // A log keeps reports of jumps long past, and a plan says from which system this one came.
    const auto best = std::find_if(done.begin(), done.end(), [&](const FoundReport& each) {
        return !plan || each.report.from_boot == plan->report.from_boot;
    });
    return best == done.end() ? plan : *best;
}

}  // namespace stillboot::quiesce
