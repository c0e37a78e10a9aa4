// SPDX-License-Identifier: Apache-2.0
// Starting hand-overs from the event loop.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "config/model/settings.hpp"
#include "daemon/registry/registry.hpp"
#include "kexec/handover/handover.hpp"
#include "kexec/handover/state.hpp"

namespace stillboot::handover {

/// What the state store tells when the daemon starts.
struct Past {
    std::vector<Message> notes;            ///< what happened, what is left alone since, and that there is no store
    std::optional<Retry> retry;            ///< what an earlier kernel wanted booted again
    std::optional<std::string> deaths_of;  ///< the option on the way to which the machine keeps going down
    std::optional<Choices> choices;        ///< none where the store could not be asked
    std::vector<SettingText> settings;
    std::optional<std::string> entry_once;           ///< what the firmware is asked to boot at this start
    std::optional<protocol::HandoverReport> report;  ///< of the last hand-over
    PastAttempts attempts;
};

/// For which starts an option is chosen.
enum class ChosenFor { each_start, next_start };

/// The file that a text names: "/PATH" on the device itself, or "DEVICE:/PATH" with an id or a node of the
/// registry, uuid=, label=, partuuid= or partlabel=. @error daemon.bad_file, daemon.no_urls
[[nodiscard]] Result<Resource> file_of(const registry::Registry& registry, const std::string& text);

/// The same for a file without an option: without a device it is one of this system (no node).
/// @error those of file_of(), config.device_missing, config.device_ambiguous
[[nodiscard]] Result<ImageSource> source_of(const registry::Registry& registry, const std::string& text);

/// An option that no configuration has, of a kernel as file_of() takes it, its device named.
/// @error those of file_of(), config.device_missing, config.device_ambiguous
[[nodiscard]] Result<protocol::Option> option_of_kernel(const registry::Registry& registry,
                                                        const std::string& kernel);

/// The request of an option, every reference resolved against the registry to a device node.
/// @error those of file_of(), config.device_missing, config.device_ambiguous, daemon.bad_args for text that no
/// command line may hold
[[nodiscard]] Result<Request> request_of(const registry::Registry& registry, const protocol::Option& option,
                                         const Overrides& overrides);

/// What the loop hears of a hand-over. All called on the loop.
struct BootEvents {
    std::function<void(const Event&)> on_event;
    std::function<void(const Message&)> on_line;       ///< for the log
    std::function<void(const PastAttempt&)> on_ended;  ///< how it did, before on_failed
    std::function<void(const Error&)> on_failed;       ///< everything is back as it was; the last call
};

/// The port to whatever hands over. One hand-over at a time: the caller sees to it.
class Booter {
public:
    virtual ~Booter() = default;
    /// Starts a hand-over and returns at once.
    virtual void start(Request request, BootEvents events) = 0;
    /// Stops the one that is under way, at once before the first unbind, by undoing after that.
    virtual void cancel() = 0;
    /// What a hand-over of this request would do, line by line, without doing it.
    /// @error handover.busy while a hand-over is under way, or too much waits for its turn
    virtual void plan(Request request, std::function<void(Result<std::vector<std::string>>)> done) = 0;
    /// What a hand-over would do with the devices. Who asks while one is made gets that one.
    /// @error handover.busy while a hand-over is under way, and those of reading the devices
    virtual void quiesce_plan(std::function<void(const Result<protocol::QuiescePlan>&)> done) = 0;
    /// Keeps a choice in the state store, or forgets it; answers with all that are kept then.
    /// @error handover.busy, handover.no_place_to_choose, and those of the store
    virtual void choose(ChosenFor when, std::optional<Choice> what,
                        std::function<void(const Result<Choices>&)> done) = 0;
    /// Keeps a setting in the state store, or forgets it; answers with all that are kept then.
    /// @error handover.busy, handover.no_place_to_keep, and those of the store
    virtual void keep_setting(const std::string& key, std::optional<std::string> value,
                              std::function<void(const Result<std::vector<SettingText>>&)> done) = 0;
    /// True while a hand-over or a plan is under way.
    [[nodiscard]] virtual bool busy() const = 0;
};

}  // namespace stillboot::handover
