// SPDX-License-Identifier: Apache-2.0
// Each type of the protocol, described once. Included as describe.hpp is.
#pragma once

#include "daemon/protocol/describe.hpp"

namespace stillboot::protocol {

template <>
struct Words<stillboot::Severity> {
    static constexpr std::string_view words[] = {"note", "warning", "error"};
};
template <>
struct Words<OptionState> {
    static constexpr std::string_view words[] = {"ready", "waiting"};
};
template <>
struct Words<DeviceState> {
    static constexpr std::string_view words[] = {"queued", "scanning", "found", "container", "empty", "failed"};
};
template <>
struct Words<Phase> {
    static constexpr std::string_view words[] = {"discovering", "idle", "waiting", "countdown", "handover"};
};
template <>
struct Words<LogSeverity> {
    static constexpr std::string_view words[] = {"debug", "info", "warning", "error"};
};
template <>
struct Words<Cancelled> {
    static constexpr std::string_view words[] = {"nothing", "countdown", "handover"};
};
template <>
struct Words<AttemptEnd> {
    static constexpr std::string_view words[] = {"under_way", "jumped",    "failed",   "cancelled", "cut_off",
                                                 "went_down", "restarted", "watchdog", "good"};
};
template <>
struct Words<Container::Kind> {
    static constexpr std::string_view words[] = {"luks", "lvm", "md", "btrfs"};
};

template <>
struct Description<Source> {
    static constexpr auto fields = std::make_tuple(field("format", &Source::format), field("file", &Source::file),
                                                   field("line", &Source::line));
};
template <>
struct Description<BootTries> {
    static constexpr auto fields =
        std::make_tuple(field("left", &BootTries::left), field("done", &BootTries::done));
};
template <>
struct Description<Diagnostic> {
    static constexpr auto fields = std::make_tuple(
        field("file", &Diagnostic::file), field("line", &Diagnostic::line), field("column", &Diagnostic::column),
        field("severity", &Diagnostic::severity), field("message", &Diagnostic::message));
};
template <>
struct Description<DeviceId> {
    static constexpr auto fields =
        std::make_tuple(field("id", &DeviceId::id), field("node", &DeviceId::node), field("uuid", &DeviceId::uuid),
                        field("label", &DeviceId::label), field("partuuid", &DeviceId::partuuid),
                        field("partlabel", &DeviceId::partlabel));
};
template <>
struct Description<BootOption> {
    static constexpr auto fields = std::make_tuple(
        field("id", &BootOption::id), field("title", &BootOption::title), field("device", &BootOption::device_id),
        field("submenus", &BootOption::submenus), field("kernel", &BootOption::kernel),
        field("initrds", &BootOption::initrds), field("devicetree", &BootOption::devicetree),
        field("args", &BootOption::args), field("version", &BootOption::version),
        field("sort_key", &BootOption::sort_key), field("tries", &BootOption::tries),
        field("default", &BootOption::is_default), field("source", &BootOption::source));
};
template <>
struct Description<Option> {
    static constexpr auto fields =
        std::tuple_cat(Description<BootOption>::fields,
                       std::make_tuple(field("order", &Option::order), field("state", &Option::state),
                                       field("reason", &Option::reason)));
};
template <>
struct Description<Device> {
    static constexpr auto fields = std::make_tuple(
        field("id", &Device::id), field("order", &Device::order), field("node", &Device::node),
        field("uuid", &Device::uuid), field("label", &Device::label), field("filesystem", &Device::filesystem),
        field("title", &Device::title), field("parent", &Device::parent), field("model", &Device::model),
        field("size_bytes", &Device::size_bytes), field("removable", &Device::removable),
        field("state", &Device::state), field("reason", &Device::reason),
        field("diagnostics", &Device::diagnostics));
};
template <>
struct Description<Active> {
    static constexpr auto fields =
        std::make_tuple(field("device", &Active::device), field("driver", &Active::driver),
                        field("elapsed_ms", &Active::elapsed_ms), field("slow", &Active::slow));
};
template <>
struct Description<Progress> {
    static constexpr auto fields =
        std::make_tuple(field("option", &Progress::option), field("step", &Progress::step),
                        field("message", &Progress::message), field("done", &Progress::done),
                        field("total", &Progress::total), field("elapsed_ms", &Progress::elapsed_ms),
                        field("active", &Progress::active), field("left_ms", &Progress::left_ms));
};
template <>
struct Description<Beaten> {
    static constexpr auto fields = std::make_tuple(field("by", &Beaten::by), field("option", &Beaten::option),
                                                   field("title", &Beaten::title));
};
template <>
struct Description<State> {
    static constexpr auto fields = std::make_tuple(
        field("phase", &State::phase), field("would_boot", &State::would_boot), field("why", &State::why),
        field("remaining_ms", &State::remaining_ms), field("progress", &State::progress),
        field("last_failure", &State::last_failure), field("better_default", &State::better_default),
        field("notices", &State::notices), field("version", &State::version), field("by", &State::by),
        field("beaten", &State::beaten), field("strict", &State::strict), field("lock", &State::lock),
        field("lock_unknown", &State::lock_unknown), field("lock_after_ms", &State::lock_after_ms),
        field("shell", &State::shell), field("default", &State::default_option));
};
template <>
struct Description<Change> {
    static constexpr auto fields = std::make_tuple(
        field("seq", &Change::seq), field("state", &Change::state), field("options", &Change::options),
        field("options_removed", &Change::options_removed), field("devices", &Change::devices),
        field("devices_removed", &Change::devices_removed), field("whole", &Change::whole));
};
template <>
struct Description<LogLine> {
    static constexpr auto fields = std::make_tuple(
        field("seq", &LogLine::seq), field("time_ms", &LogLine::time_ms), field("severity", &LogLine::severity),
        field("text", &LogLine::text), field("code", &LogLine::code), field("parameters", &LogLine::parameters));
};
template <>
struct Description<Container> {
    static constexpr auto fields =
        std::make_tuple(field("kind", &Container::kind), field("reason", &Container::reason));
};

template <>
struct Description<NamedFile> {
    static constexpr auto fields =
        std::make_tuple(field("path", &NamedFile::path), field("options", &NamedFile::options),
                        field("diagnostics", &NamedFile::diagnostics), field("reason", &NamedFile::reason));
};

template <>
struct Description<Nothing> {
    static constexpr auto fields = std::make_tuple();
};
template <>
struct Description<GetState::Reply> {
    static constexpr auto fields = std::make_tuple(field("state", &GetState::Reply::state));
};
template <>
struct Description<ListOptions::Reply> {
    static constexpr auto fields = std::make_tuple(field("options", &ListOptions::Reply::options));
};
template <>
struct Description<ListDevices::Reply> {
    static constexpr auto fields = std::make_tuple(field("devices", &ListDevices::Reply::devices));
};
template <>
struct Description<Watch::Reply> {
    static constexpr auto fields =
        std::make_tuple(field("change", &Watch::Reply::change), field("session", &Watch::Reply::session));
};
template <>
struct Description<GetLog::Reply> {
    static constexpr auto fields =
        std::make_tuple(field("lines", &GetLog::Reply::lines), field("session", &GetLog::Reply::session),
                        field("whole", &GetLog::Reply::whole));
};
template <>
struct Description<From> {
    static constexpr auto fields = std::make_tuple(field("since", &From::since), field("session", &From::session));
};
template <>
struct Description<Client> {
    static constexpr auto fields =
        std::make_tuple(field("since_ms", &Client::since_ms), field("uid", &Client::uid),
                        field("pid", &Client::pid), field("peer", &Client::peer), field("method", &Client::method),
                        field("queued_bytes", &Client::queued_bytes));
};
template <>
struct Description<ListClients::Reply> {
    static constexpr auto fields = std::make_tuple(field("clients", &ListClients::Reply::clients));
};
template <>
struct Description<Boot::Parameters> {
    static constexpr auto fields = std::make_tuple(
        field("option", &Boot::Parameters::option), field("kernel", &Boot::Parameters::kernel),
        field("initrds", &Boot::Parameters::initrds), field("devicetree", &Boot::Parameters::devicetree),
        field("append", &Boot::Parameters::append), field("args", &Boot::Parameters::args),
        field("dry_run", &Boot::Parameters::dry_run), field("console", &Boot::Parameters::console));
};
template <>
struct Description<Cancel::Parameters> {
    static constexpr auto fields = std::make_tuple(field("console", &Cancel::Parameters::console));
};
template <>
struct Description<Boot::Reply> {
    static constexpr auto fields =
        std::make_tuple(field("option", &Boot::Reply::option), field("progress", &Boot::Reply::progress),
                        field("plan", &Boot::Reply::plan));
};
template <>
struct Description<Reboot::Parameters> {
    static constexpr auto fields = std::make_tuple(field("firmware_setup", &Reboot::Parameters::firmware_setup),
                                                   field("console", &Reboot::Parameters::console));
};
template <>
struct Description<PowerOff::Parameters> {
    static constexpr auto fields = std::make_tuple(field("console", &PowerOff::Parameters::console));
};

template <>
struct Description<Cancel::Reply> {
    static constexpr auto fields = std::make_tuple(field("cancelled", &Cancel::Reply::cancelled));
};
template <>
struct Description<ReportedDevice> {
    static constexpr auto fields =
        std::make_tuple(field("name", &ReportedDevice::name), field("driver", &ReportedDevice::driver),
                        field("rest", &ReportedDevice::rest), field("why", &ReportedDevice::why));
};
template <>
struct Description<ReportedStep> {
    static constexpr auto fields =
        std::make_tuple(field("name", &ReportedStep::name), field("driver", &ReportedStep::driver),
                        field("end", &ReportedStep::end), field("took_ms", &ReportedStep::took_ms));
};
template <>
struct Description<HandoverReport> {
    static constexpr auto fields =
        std::make_tuple(field("kind", &HandoverReport::kind), field("from_boot", &HandoverReport::from_boot),
                        field("unbound", &HandoverReport::unbound), field("took_ms", &HandoverReport::took_ms),
                        field("devices", &HandoverReport::devices), field("slowest", &HandoverReport::slowest));
};
template <>
struct Description<QuiesceStep> {
    static constexpr auto fields = std::make_tuple(
        field("action", &QuiesceStep::action), field("path", &QuiesceStep::path),
        field("name", &QuiesceStep::name), field("bus", &QuiesceStep::bus), field("driver", &QuiesceStep::driver),
        field("reason", &QuiesceStep::reason), field("rule", &QuiesceStep::rule),
        field("deadline_s", &QuiesceStep::deadline_s), field("stage", &QuiesceStep::stage),
        field("refused", &QuiesceStep::refused), field("waits_for", &QuiesceStep::waits_for));
};
template <>
struct Description<QuiesceKept> {
    static constexpr auto fields =
        std::make_tuple(field("path", &QuiesceKept::path), field("name", &QuiesceKept::name),
                        field("bus", &QuiesceKept::bus), field("driver", &QuiesceKept::driver),
                        field("follows", &QuiesceKept::follows), field("rule", &QuiesceKept::rule),
                        field("for_sake_of", &QuiesceKept::for_sake_of), field("reason", &QuiesceKept::reason));
};
template <>
struct Description<QuiescePlan> {
    static constexpr auto fields =
        std::make_tuple(field("refusals", &QuiescePlan::refusals), field("steps", &QuiescePlan::steps),
                        field("kept", &QuiescePlan::kept), field("notes", &QuiescePlan::notes));
};
template <>
struct Description<GetQuiescePlan::Reply> {
    static constexpr auto fields = std::make_tuple(field("plan", &GetQuiescePlan::Reply::plan));
};
template <>
struct Description<GetReport::Reply> {
    static constexpr auto fields = std::make_tuple(field("report", &GetReport::Reply::report));
};
template <>
struct Description<Attempt> {
    static constexpr auto fields =
        std::make_tuple(field("option", &Attempt::option), field("title", &Attempt::title),
                        field("time_s", &Attempt::time_s), field("by", &Attempt::by), field("end", &Attempt::end),
                        field("step", &Attempt::step), field("reason", &Attempt::reason));
};
template <>
struct Description<ListAttempts::Reply> {
    static constexpr auto fields = std::make_tuple(field("attempts", &ListAttempts::Reply::attempts));
};
template <>
struct Description<Interface> {
    static constexpr auto fields = std::make_tuple(
        field("name", &Interface::name), field("mac", &Interface::mac), field("link", &Interface::link),
        field("megabits", &Interface::megabits), field("addresses", &Interface::addresses));
};
template <>
struct Description<System> {
    static constexpr auto fields =
        std::make_tuple(field("model", &System::model), field("firmware", &System::firmware),
                        field("kernel", &System::kernel), field("architecture", &System::architecture),
                        field("processor", &System::processor), field("processors", &System::processors),
                        field("memory_bytes", &System::memory_bytes), field("state_store", &System::state_store),
                        field("version", &System::version), field("interfaces", &System::interfaces));
};
template <>
struct Description<GetSystem::Reply> {
    static constexpr auto fields = std::make_tuple(field("system", &GetSystem::Reply::system));
};
template <>
struct Description<Stage> {
    static constexpr auto fields = std::make_tuple(field("name", &Stage::name), field("at_ms", &Stage::at_ms));
};
template <>
struct Description<GetTimes::Reply> {
    static constexpr auto fields =
        std::make_tuple(field("boot_ms", &GetTimes::Reply::boot_ms), field("stages", &GetTimes::Reply::stages));
};
template <>
struct Description<Setting> {
    static constexpr auto fields = std::make_tuple(
        field("key", &Setting::key), field("value", &Setting::value), field("origin", &Setting::origin),
        field("stored", &Setting::stored), field("any_time", &Setting::any_time));
};
template <>
struct Description<GetSettings::Reply> {
    static constexpr auto fields = std::make_tuple(field("settings", &GetSettings::Reply::settings));
};
template <>
struct Description<SetSetting::Parameters> {
    static constexpr auto fields = std::make_tuple(
        field("key", &SetSetting::Parameters::key), field("value", &SetSetting::Parameters::value),
        field("once", &SetSetting::Parameters::once), field("console", &SetSetting::Parameters::console));
};
template <>
struct Description<SetSetting::Reply> {
    static constexpr auto fields = std::make_tuple(field("setting", &SetSetting::Reply::setting));
};
template <>
struct Description<UnlockConsole::Parameters> {
    static constexpr auto fields = std::make_tuple(field("password", &UnlockConsole::Parameters::password));
};
template <>
struct Description<SetTimeout::Parameters> {
    static constexpr auto fields = std::make_tuple(field("seconds", &SetTimeout::Parameters::seconds),
                                                   field("once", &SetTimeout::Parameters::once),
                                                   field("console", &SetTimeout::Parameters::console));
};
template <>
struct Description<AddConfiguration::Parameters> {
    static constexpr auto fields = std::make_tuple(field("path", &AddConfiguration::Parameters::path));
};
template <>
struct Description<AddConfiguration::Reply> {
    static constexpr auto fields = std::make_tuple(field("options", &AddConfiguration::Reply::options),
                                                   field("diagnostics", &AddConfiguration::Reply::diagnostics));
};
template <>
struct Description<OpenDevice::Parameters> {
    static constexpr auto fields = std::make_tuple(field("device", &OpenDevice::Parameters::device),
                                                   field("passphrase", &OpenDevice::Parameters::passphrase));
};
template <>
struct Description<WaitForNetwork::Parameters> {
    static constexpr auto fields = std::make_tuple(field("deadline_ms", &WaitForNetwork::Parameters::deadline_ms));
};
template <>
struct Description<SetDefault::Parameters> {
    static constexpr auto fields = std::make_tuple(field("option", &SetDefault::Parameters::option));
};
template <>
struct Description<SetDefault::Reply> {
    static constexpr auto fields = std::make_tuple(field("option", &SetDefault::Reply::option));
};
template <>
struct Description<Rescan::Parameters> {
    static constexpr auto fields = std::make_tuple(field("device", &Rescan::Parameters::device));
};

/// {"code", "text", "parameters": {name: value}}. A code that this build's catalogue lacks keeps the peer's text.
template <>
struct Custom<Message> {
    static boost::json::value write(const Message& message);
    static bool read(Reader& reader, const boost::json::value& json, Message& out);
};
/// {name: value}
template <>
struct Custom<Parameters> {
    static boost::json::value write(const Parameters& parameters);
    static bool read(Reader& reader, const boost::json::value& json, Parameters& out);
};
/// An object with the one name that is given, such as {"uuid": "…"}; null for the device of the configuration.
template <>
struct Custom<DeviceRef> {
    static boost::json::value write(const DeviceRef& reference);
    static bool read(Reader& reader, const boost::json::value& json, DeviceRef& out);
};
/// {"path", "device"} or {"url"}, and "sha256" where a digest is expected.
template <>
struct Custom<Resource> {
    static boost::json::value write(const Resource& resource);
    static bool read(Reader& reader, const boost::json::value& json, Resource& out);
};
/// {"options": […]} or {"container": {…}} or {"nothing": reason}, each with "diagnostics", and "named" where files
/// were.
template <>
struct Custom<ScanResult> {
    static boost::json::value write(const ScanResult& result);
    static bool read(Reader& reader, const boost::json::value& json, ScanResult& out);
};

}  // namespace stillboot::protocol
