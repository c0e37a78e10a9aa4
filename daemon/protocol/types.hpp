// SPDX-License-Identifier: Apache-2.0
// The types of the interface io.stillboot in C++, field by field as daemon/protocol/io.stillboot.varlink has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/message.hpp"
#include "config/model/boot_option.hpp"
#include "config/model/diagnostic.hpp"
#include "config/model/scan_result.hpp"

namespace stillboot::protocol {

enum class OptionState { ready, waiting };

/// A boot option as clients see it.
struct Option : BootOption {
    std::uint32_t order = 0;  ///< its place among its device's options
    OptionState state = OptionState::ready;
    std::optional<Message> reason;  ///< what it waits for

    bool operator==(const Option&) const = default;
};

enum class DeviceState { queued, scanning, found, container, empty, failed };

struct Device {
    std::string id;
    std::string order;  ///< devices sorted by it, bytewise, stand in the fixed order
    std::string node;
    std::string uuid;
    std::string label;
    std::string filesystem;
    std::string title;                  ///< what a person calls it: "Samsung 980, part 2"
    std::optional<std::string> parent;  ///< id of the disk that holds this partition
    std::string model;
    std::uint64_t size_bytes = 0;
    bool removable = false;
    DeviceState state = DeviceState::queued;
    std::optional<Message> reason;
    std::vector<Diagnostic> diagnostics;

    bool operator==(const Device&) const = default;
};

/// One step of a hand-over as it goes on.
/// A device that is being unbound.
struct Active {
    std::string device;
    std::string driver;
    std::uint64_t elapsed_ms = 0;
    bool slow = false;

    bool operator==(const Active&) const = default;
};

struct Progress {
    std::string option;
    std::string step;  ///< handover::to_word(Step)
    Message message;
    std::uint64_t done = 0;   ///< devices while unbinding, bytes while fetching
    std::uint64_t total = 0;  ///< 0 where it is not known
    std::uint64_t elapsed_ms = 0;
    std::vector<Active> active;  ///< what is being unbound
    std::uint64_t left_ms = 0;   ///< of the unbinding, at most

    bool operator==(const Progress&) const = default;
};

enum class Phase { discovering, idle, waiting, countdown, handover };

/// An option that would boot if nothing stronger named another one, and who says so.
struct Beaten {
    Message by;
    std::string option;
    std::string title;

    bool operator==(const Beaten&) const = default;
};

struct State {
    Phase phase = Phase::discovering;
    std::optional<std::string> would_boot;
    Message why;
    std::optional<std::uint64_t>
        remaining_ms;  ///< at the moment the message was made; no message comes each second
    std::optional<Progress> progress;
    std::optional<Message> last_failure;
    std::optional<std::string> better_default;
    std::vector<Message> notices;  ///< what the state store tells: drivers that are left alone, boots that died
    std::string version;
    std::optional<Message> by;                  ///< who says that it would boot, completing "TITLE is …"
    std::vector<Beaten> beaten;                 ///< in the order of precedence
    bool strict = false;                        ///< nothing at a console stops the clock
    bool lock = false;                          ///< consoles may only look until the password is given there
    bool lock_unknown = false;                  ///< the settings are not all read: lock may still change
    std::uint64_t lock_after_ms = 0;            ///< without a key, until one locks itself again; 0: never
    bool shell = false;                         ///< strict mode has ended in one: consoles open it
    std::optional<std::string> default_option;  ///< what "@default" means: what would boot if anything did

    bool operator==(const State&) const = default;
};

/// One event of Watch.
struct Change {
    std::uint64_t seq = 0;
    std::optional<State> state;
    std::vector<Option> options;
    std::vector<std::string> options_removed;
    std::vector<Device> devices;
    std::vector<std::string> devices_removed;
    bool whole = false;  ///< holds everything; what was told before is to be forgotten

    bool operator==(const Change&) const = default;
};

/// Something that the daemon had come to.
struct Stage {
    std::string name;
    std::uint64_t at_ms = 0;  ///< since the daemon's start

    bool operator==(const Stage&) const = default;
};

/// Of a message, by name.
struct Parameters {
    std::vector<Message::Param> list;

    bool operator==(const Parameters&) const = default;
};

enum class LogSeverity { debug, info, warning, error };

struct LogLine {
    std::uint64_t seq = 0;
    std::uint64_t time_ms = 0;  ///< since the epoch
    LogSeverity severity = LogSeverity::info;
    std::string text;
    std::string code;
    Parameters parameters;

    bool operator==(const LogLine&) const = default;
};

/// One connection to the daemon.
struct Client {
    std::uint64_t since_ms = 0;  ///< since the epoch
    std::optional<std::uint32_t> uid;
    std::optional<std::int32_t> pid;
    std::string peer;                   ///< who it is, in words
    std::optional<std::string> method;  ///< the call that it waits on
    std::uint64_t queued_bytes = 0;     ///< of replies that it has not read

    bool operator==(const Client&) const = default;
};

/// A device that the last hand-over did not unbind, or did not leave still.
struct ReportedDevice {
    std::string name;
    std::string driver;
    std::string rest;  ///< "kept", "contained" or "moving"
    std::string why;

    bool operator==(const ReportedDevice&) const = default;
};

/// A device that it unbound, or should have.
struct ReportedStep {
    std::string name;
    std::string driver;
    std::string end;
    std::uint64_t took_ms = 0;

    bool operator==(const ReportedStep&) const = default;
};

/// What the last hand-over left, as the state store remembers it.
struct HandoverReport {
    std::string kind;       ///< "planned" or "done"
    std::string from_boot;  ///< boot id of the kernel that was left
    std::uint64_t unbound = 0;
    std::uint64_t took_ms = 0;
    std::vector<ReportedDevice> devices;
    std::vector<ReportedStep> slowest;

    bool operator==(const HandoverReport&) const = default;
};

/// How an attempt to boot has ended, as far as it is known.
enum class AttemptEnd {
    under_way,
    jumped,
    failed,
    cancelled,
    cut_off,
    went_down,
    restarted,
    watchdog,
    good,  ///< it jumped, and the system that came up has blessed its entry
};

/// One boot that was tried.
struct Attempt {
    std::string option;
    std::string title;
    std::int64_t time_s = 0;  ///< since 1970, as far as the clock was right
    std::string by;           ///< who or what wanted it, in words
    AttemptEnd end = AttemptEnd::under_way;
    std::string step;    ///< at which it ended, where that says something
    std::string reason;  ///< in words

    bool operator==(const Attempt&) const = default;
};

/// A step of unbinding, as `quiesce` plans it.
struct QuiesceStep {
    std::string action;  ///< quiesce::to_word(StepAction)
    std::string path;
    std::string name;
    std::string bus;
    std::string driver;
    Message reason;
    std::string rule;  ///< that decided, or empty
    std::uint64_t deadline_s = 0;
    std::int32_t stage = 0;
    bool refused = false;
    std::vector<std::uint64_t> waits_for;  ///< places among the steps

    bool operator==(const QuiesceStep&) const = default;
};

/// A device that stays bound.
struct QuiesceKept {
    std::string path;
    std::string name;
    std::string bus;
    std::string driver;
    bool follows = false;
    std::string rule;
    std::string for_sake_of;
    Message reason;

    bool operator==(const QuiesceKept&) const = default;
};

/// What a hand-over would do with the devices.
struct QuiescePlan {
    std::vector<Message> refusals;
    std::vector<QuiesceStep> steps;
    std::vector<QuiesceKept> kept;
    std::vector<Message> notes;

    bool operator==(const QuiescePlan&) const = default;
};

/// A network interface.
struct Interface {
    std::string name;
    std::string mac;
    bool link = false;
    std::optional<std::uint64_t> megabits;  ///< a second, where the driver knows
    std::vector<std::string> addresses;     ///< "192.0.2.1/24", "fe80::1/64"

    bool operator==(const Interface&) const = default;
};

/// The machine; a text is empty where it does not say.
struct System {
    std::string model;
    std::string firmware;
    std::string kernel;  ///< its release
    std::string architecture;
    std::string processor;
    std::uint64_t processors = 0;  ///< that are online
    std::uint64_t memory_bytes = 0;
    std::string state_store;  ///< its node, or "EFI variables"; empty where there is none
    std::string version;      ///< of Stillboot
    std::vector<Interface> interfaces;

    bool operator==(const System&) const = default;
};

/// A setting and where its value comes from.
struct Setting {
    std::string key;
    std::string value;  ///< as the kernel command line has it
    std::string origin;
    std::optional<std::string> stored;  ///< what the state store has, though something else may come before it
    bool any_time = false;              ///< SetSetting takes it

    bool operator==(const Setting&) const = default;
};

}  // namespace stillboot::protocol
