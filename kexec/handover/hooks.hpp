// SPDX-License-Identifier: Apache-2.0
// Programs of the administrator around a boot: where they are found, what they are told, and what their end means.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"
#include "config/base/session_process.hpp"
#include "kexec/handover/handover.hpp"

namespace stillboot::handover {

enum class HookPoint {
    after_discovery,
    before_boot,     ///< may refuse the boot
    before_quiesce,  ///< may refuse it, too: what was done by then is undone
    on_failure,
};

/// "after-discovery", "before-boot", … Lifetime: static.
[[nodiscard]] std::string_view to_word(HookPoint point);

/// What hooks are told of the boot; a text is empty where there is nothing to say.
struct HookSubject {
    std::string option;
    std::string title;
    std::string device;  ///< the node that the kernel is on
    std::string kernel;
    std::string arguments;
    std::string reason;  ///< of the failure
    unsigned attempt = 0;
};

/// Of a boot that is wanted.
[[nodiscard]] HookSubject subject_of(const Request& request);

/// The whole environment of a hook, "NAME=VALUE" each, without control characters, which a disk may have put into
/// a title. stillbootd(8) documents it.
[[nodiscard]] std::vector<std::string> hook_environment(HookPoint point, const HookSubject& subject);

/// The variables that every program of the administrator is given: PATH and the like.
[[nodiscard]] std::vector<std::string> plain_environment();

struct FoundHooks {
    std::vector<std::string> paths;  ///< below the root, in the order of their names
    std::vector<Message> notes;      ///< what lies there and cannot be run
};

/// Executables of /usr/lib/stillboot/hooks/POINT.d and /etc/stillboot/hooks/POINT.d; one in /etc replaces its
/// namesake, and masks it where it is empty or a link to /dev/null. Names that begin with a dot do not count. Of a
/// point that may refuse a boot every file is a hook: one that cannot be started refuses, too, and so does one too
/// many.
[[nodiscard]] FoundHooks find_hooks(const Root& root, HookPoint point);

/// The port for hooks. Blocking.
class Hooks {
public:
    using Say = std::function<void(const Message&)>;

    virtual ~Hooks() = default;
    /// The names of the hooks of a point, in their order.
    virtual std::vector<std::string> names(HookPoint point) = 0;
    /// Runs them one after the other, each until it ends or its deadline is over. @param say  told what they print
    /// @error handover.hook_failed: the first that failed; those behind it are not run where the point may refuse.
    /// handover.cancelled where a stop ended one
    virtual Result<void> run(HookPoint point, const HookSubject& subject, const Say& say,
                             std::stop_token stop) = 0;
};

/// The hooks of a machine. Lifetime: the root outlives it.
class SystemHooks final : public Hooks {
public:
    /// @param deadline  of each hook
    SystemHooks(const Root& root, std::chrono::milliseconds deadline) : root_(root), deadline_(deadline) {}

    std::vector<std::string> names(HookPoint point) override;
    Result<void> run(HookPoint point, const HookSubject& subject, const Say& say, std::stop_token stop) override;

private:
    [[nodiscard]] Result<void> check(const FoundHooks& found, HookPoint point) const;
    [[nodiscard]] Result<void> run_one(const std::string& path, HookPoint point, const HookSubject& subject,
                                       const Say& say, std::stop_token stop) const;

    const Root& root_;
    std::chrono::milliseconds deadline_;
};

/// The path of a file below a root as programs see it. @error base.read_failed
[[nodiscard]] Result<std::string> path_outside(const Root& root, const std::string& path);

/// Why a program that has ended counts as failed, in words; nothing where it does not.
[[nodiscard]] std::optional<Message> why_failed(const SessionOutcome& outcome, std::chrono::milliseconds deadline);

}  // namespace stillboot::handover
