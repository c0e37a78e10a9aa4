// SPDX-License-Identifier: Apache-2.0
// The whole hand-over, in its one order, as a plan (a value) and its executor.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.hpp"
#include "kexec/handover/count.hpp"
#include "quiesce/step_runner.hpp"

namespace stillboot::handover {

/// Where bytes come from: a path on a block device (node set), a local file (node empty), or a URL.
struct ImageSource {
    std::string node;  ///< "/dev/nvme0n1p2"
    std::string path;
    std::string url;

    /// "/vmlinuz on /dev/nvme0n1p2", "/boot/vmlinuz" or the URL, for messages.
    [[nodiscard]] std::string text() const;
    bool operator==(const ImageSource&) const = default;
};

/// What has to be written down before a boot goes on; it is not booted otherwise. A boot that somebody asks for
/// goes on, and it is said that it could not be.
enum class MustRecord {
    nothing,
    count,   ///< that a try of its entry is taken
    choice,  ///< that what was chosen for once is used
};

/// An option that somebody chose for a start to come.
struct Choice {
    std::string option_id;
    std::string title;

    bool operator==(const Choice&) const = default;
};

/// What one boot has otherwise than its option.
struct Overrides {
    std::optional<std::string> append;      ///< to the command line
    std::optional<std::string> args;        ///< in place of it, before `append`
    std::vector<std::string> initrds;       ///< behind its own, as file_of() takes them
    std::optional<std::string> devicetree;  ///< in place of its own

    bool operator==(const Overrides&) const = default;
};

/// What an attempt uses up, whatever becomes of it; given back only where it is undone.
struct UsedUp {
    std::optional<Choice> one_shot;
    std::optional<std::string> entry_once;  ///< of the firmware
    std::optional<Try> counted;             ///< about to be taken off the entry, or taken

    [[nodiscard]] bool any() const { return one_shot || entry_once || counted; }
    bool operator==(const UsedUp&) const = default;
};

/// What is to be booted, with every reference resolved.
struct Request {
    std::string option_id;  ///< empty for `stillboot load`
    std::string title;
    ImageSource kernel;
    std::vector<ImageSource> initrds;
    std::optional<ImageSource> devicetree;
    std::string command_line;
    std::string by;        ///< who or what wants it booted, in words
    Overrides overrides;   ///< as they were said, for a kernel that tries it again
    unsigned attempt = 1;  ///< more where an earlier kernel was restarted to try it again
    UsedUp used_before;    ///< by that kernel
    /// What the firmware is asked to boot once, where this is it: the commit uses it up.
    std::optional<std::string> entry_once;
    /// Of an entry with boot counting.
    std::optional<EntryFile> entry_file;
    MustRecord must_record = MustRecord::nothing;

    /// The try that this boot takes. One that an earlier kernel was restarted for was counted there.
    [[nodiscard]] std::optional<Try> counted_try() const;
};

/// In the order in which they run.
enum class Step {
    before_boot,
    fetch,
    verify,
    measure,
    unwrap,
    trial_load,
    memory,
    commit,
    before_quiesce,
    take_down,
    unbind,
    check,
    load,
    watchdog,
    jump,
    undo,
};

/// "fetch", "trial-load", … Lifetime: static.
[[nodiscard]] std::string_view to_word(Step step);
/// The step of a word, or nothing.
[[nodiscard]] std::optional<Step> step_from_word(std::string_view word);

/// A device that is being unbound.
struct ActiveDevice {
    std::string name;
    std::string driver;
    std::chrono::milliseconds elapsed{0};
    bool slow = false;  ///< longer than an unbind should take
};

/// What clients see while it runs. done and total: bytes while fetching, devices while unbinding, else 0.
struct Event {
    Step step = Step::fetch;
    Message message;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::chrono::milliseconds elapsed{0};       ///< since the request
    std::vector<ActiveDevice> active;           ///< while unbinding
    std::chrono::milliseconds left_at_most{0};  ///< of the unbinding: until every deadline would have passed
};

/// What is under way among the devices, as an event of the unbinding. @param elapsed since the request
[[nodiscard]] Event event_of(const quiesce::StepProgress& progress, std::chrono::milliseconds elapsed);

/// Told of every act before it happens. Thread: called on the thread that runs the hand-over.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void on_event(const Event& event) = 0;
    /// A line for the log: what a hook has printed.
    virtual void on_line(const Message& line) = 0;
};

}  // namespace stillboot::handover
