// SPDX-License-Identifier: Apache-2.0
// The settings of this machine, each with the place it was set in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model/boot_rule.hpp"

namespace stillboot {

/// Where a value was set. No file: it is the built-in default. No line: the file has none (the kernel command
/// line).
struct Origin {
    std::string file;
    std::uint32_t line = 0;

    [[nodiscard]] bool is_default() const { return file.empty(); }
    /// "/etc/stillboot/stillboot.toml:3", "kernel command line" or "built-in default".
    [[nodiscard]] std::string text() const;
    bool operator==(const Origin&) const = default;
};

/// A setting as text, the value as `stillboot.KEY=VALUE` of the kernel command line has it.
struct SettingText {
    std::string key;
    std::string value;

    bool operator==(const SettingText&) const = default;
};

/// Puts a value in the place of the one that the key has among the texts; none: takes that one away.
void put_text(std::vector<SettingText>& texts, const std::string& key, const std::optional<std::string>& value);

/// A value that is shown to nobody: only whether there is one.
struct Secret {
    std::string text;
};

template <class T>
struct Setting {
    Setting() = default;
    Setting(T initial) : value(std::move(initial)) {}

    T value{};
    Origin origin;
};

/// Whether a kernel is loaded and unloaded once before any device is touched. automatic: unless it would use up
/// the last of kexec_load_limit_reboot.
enum class Trial { automatic, always, never };

/// What to do where a device is still moving after the unbinding: refuse the jump, or jump all the same.
enum class Moving { refuse, allow };

/// What to do when a driver hangs or dies in its unbind and a state store can remember it: restart the machine and
/// boot the same option with that driver left alone (by the kernel, by cutting the power through IPMI, or by a
/// hardware watchdog that nobody feeds), or undo what can be undone and leave the rest to a person.
enum class OnHang { restart, power_cycle, watchdog, menu };

/// Which devices are unbound before the jump. remove: all but those that are kept. minimal: those whose driver has
/// no shutdown method, and those that an administrator's rule names. off: none, as plain kexec.
enum class QuiesceMode { remove, minimal, off };

/// What the shutdown hook, which cannot go back, does in trouble: jump all the same, or restart the machine.
enum class AfterTrouble { jump, restart };

/// What a machine in strict mode does when nothing is left to try, or its time is over: it never just sits there.
/// menu: a person is needed, and no clock runs any more. shell: the same, and the menus of the consoles open one.
enum class FinalAction { menu, shell, reboot, power_off };

enum class LogLevel { debug, info, warning, error };

/// "auto", "always", "never"; "refuse", "allow"; "debug", … as the settings write them. Lifetime: static.
[[nodiscard]] std::string_view to_word(Trial trial);
[[nodiscard]] std::string_view to_word(Moving moving);
[[nodiscard]] std::string_view to_word(OnHang on_hang);
[[nodiscard]] std::string_view to_word(QuiesceMode mode);
[[nodiscard]] std::string_view to_word(AfterTrouble after);
[[nodiscard]] std::string_view to_word(FinalAction action);
[[nodiscard]] std::string_view to_word(LogLevel level);

struct Settings {
    /// Of the countdown (`timeout`); empty where nothing boots by itself ("never").
    Setting<std::optional<std::chrono::seconds>> timeout{std::chrono::seconds(10)};
    /// Which devices' options come first (`order`): globs over DeviceId::id, and the words "internal" and
    /// "removable". A device that no item names comes after those that are named.
    Setting<std::vector<std::string>> order{std::vector<std::string>{"internal", "removable"}};
    /// What boots by itself, the first that is there (`boot`).
    Setting<std::vector<BootRule>> boot{std::vector<BootRule>{{"", "", "", "", "", {}, "@default"}}};
    /// What comes before the saved default and before `boot` (`boot_first`): for the kernel command line.
    Setting<std::vector<BootRule>> boot_first;
    Setting<bool> strict{false};  ///< `strict`: nothing at a console stops the clock
    /// `strict_limit`: from the daemon's start, or when strict mode was asked for, after which no further boot is
    /// begun.
    Setting<std::chrono::seconds> strict_limit{std::chrono::seconds(900)};
    Setting<unsigned> strict_retries{3};  ///< `strict_retries`: rounds over all candidates after the first
    Setting<FinalAction> final_action{FinalAction::reboot};  ///< `final_action`
    Setting<Trial> trial{Trial::automatic};                  ///< `trial`
    Setting<QuiesceMode> quiesce{QuiesceMode::remove};       ///< `quiesce`
    Setting<Moving> moving{Moving::refuse};                  ///< `moving`
    Setting<OnHang> on_hang{OnHang::restart};                ///< `on_hang`
    /// `watchdog`: how long the next system has to see to the watchdog that guards the jump; 0 for none.
    Setting<std::chrono::seconds> watchdog{std::chrono::seconds(0)};
    Setting<bool> release_holders{false};  ///< `release_holders`: whoever holds a slow device is asked to end
    Setting<bool> report_on_command_line{false};  ///< `report_on_command_line`: of the next kernel
    /// Device node of the state store (`state_store`), "efi" for EFI variables, "none" for none; empty for the one
    /// labelled so, or EFI variables.
    Setting<std::string> state_store;
    Setting<std::vector<std::string>> keep;  ///< `keep`: drivers that are never unbound
    Setting<unsigned> probe_parallel{2};     ///< `probe.parallel`: scans at the same time
    Setting<std::chrono::seconds> probe_deadline{std::chrono::seconds(30)};   ///< `probe.deadline`: of one scan
    Setting<std::chrono::seconds> settle_deadline{std::chrono::seconds(15)};  ///< `settle_deadline`: for udev
    /// `hook.on_moving`: a jump at least leaves fewer devices moving than kexec without the hook would.
    Setting<AfterTrouble> hook_on_moving{AfterTrouble::jump};
    /// `hook.on_hang`: a jump would wait for the driver that hangs, for ever perhaps.
    Setting<AfterTrouble> hook_on_hang{AfterTrouble::restart};
    /// `hook.budget`: less than systemd gives its hooks, which is its default timeout as it was built: 90 s, on
    /// some distributions 45 s.
    Setting<std::chrono::seconds> hook_budget{std::chrono::seconds(40)};
    /// `hooks.deadline`: of each program in the directories of hooks.
    Setting<std::chrono::seconds> hooks_deadline{std::chrono::seconds(30)};
    /// `listen`: addresses and ports for clients over TLS; none: nothing is reachable from a network.
    Setting<std::vector<std::string>> listen;
    /// `password`: its hash, as crypt(3) has it; empty: there is none.
    Setting<Secret> password;
    Setting<bool> lock{false};  ///< `lock`: whoever sits at a console must give the password before doing anything
    /// `lock_after`: without a key, until a console locks itself again; 0: never.
    Setting<std::chrono::seconds> lock_after{std::chrono::seconds(300)};
    Setting<std::vector<std::string>> events;    ///< `events`: places that are told (parse_event_sink)
    Setting<std::optional<std::string>> script;  ///< `script`: a file that is run once udev has settled
    Setting<std::chrono::seconds> script_deadline{std::chrono::seconds(600)};  ///< `script_deadline`
    Setting<LogLevel> log_level{LogLevel::info};  ///< `log_level`: the least that is written
};

}  // namespace stillboot
