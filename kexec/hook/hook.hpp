// SPDX-License-Identifier: Apache-2.0
// What is done at the end of `systemctl kexec`: devices to rest, and the jump; nothing else in any other case.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/clock.hpp"
#include "config/model/settings.hpp"
#include "kexec/handover/ports.hpp"
#include "kexec/loader.hpp"
#include "quiesce/journal.hpp"

namespace stillboot::hook {

/// What the hook needs to know and do beside devices and kexec. Blocking, each call until its deadline at most.
class Surroundings {
public:
    virtual ~Surroundings() = default;
    /// Waits for the other hooks, which run at the same time and may still want a disk. @return the commands of
    /// those that have not ended
    virtual std::vector<std::string> wait_for_other_hooks(std::chrono::milliseconds deadline) = 0;
    /// sync(2), which systemd does only after its hooks. @return false where it did not come to its end
    virtual bool write_back(std::chrono::milliseconds deadline) = 0;
};

/// Lifetime: borrowed, all of it.
struct Ports {
    handover::Quiescer& quiescer;
    kexec::Loader& loader;
    handover::Restarter& restarter;
    Surroundings& surroundings;
    quiesce::Journal& journal;
    const Clock& clock;
};

struct HookSettings {
    AfterTrouble on_moving = AfterTrouble::jump;
    AfterTrouble on_hang = AfterTrouble::restart;
    std::chrono::seconds budget{40};  ///< of everything before the jump
};

/// How the hook ended, where the machine is still there to tell.
enum class End {
    not_asked,       ///< another shutdown than kexec, or no kernel is loaded: nothing was touched
    left_to_system,  ///< nothing was touched, and systemd goes on as it would without us
    jump_failed,     ///< devices are at rest; systemd falls back to its own kexec, and then to an ordinary restart
};

/// Stills the machine and jumps into the loaded kernel, if `argument` (what systemd-shutdown calls its hooks with)
/// is "kexec" and a kernel is loaded. There is no way back here: what fails before the first unbind is left to
/// systemd, and whatever fails after it ends in the jump or in a restart. Says all it does in the journal.
/// Does not return where it jumps or restarts.
[[nodiscard]] End run(std::string_view argument, const HookSettings& settings, const Ports& ports);

}  // namespace stillboot::hook
