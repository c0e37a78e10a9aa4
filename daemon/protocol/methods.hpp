// SPDX-License-Identifier: Apache-2.0
// The methods and errors of io.stillboot: for each its name, what it takes and what it answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/types.hpp"

namespace stillboot::protocol {

inline constexpr std::string_view interface_name = "io.stillboot";
inline constexpr std::string_view default_socket = "/run/stillboot/io.stillboot";
/// The longest message a client may send: a command line is 2048 bytes, and nothing else of size goes this way.
inline constexpr std::size_t max_call_bytes = std::size_t{256} * 1024;
/// The longest message a client accepts.
inline constexpr std::size_t max_reply_bytes = std::size_t{64} * 1024 * 1024;

struct Nothing {
    bool operator==(const Nothing&) const = default;
};

struct GetState {
    static constexpr std::string_view name = "io.stillboot.GetState";
    using Parameters = Nothing;
    struct Reply {
        State state;
    };
};

struct ListOptions {
    static constexpr std::string_view name = "io.stillboot.ListOptions";
    using Parameters = Nothing;
    struct Reply {
        std::vector<Option> options;
    };
};

struct ListDevices {
    static constexpr std::string_view name = "io.stillboot.ListDevices";
    using Parameters = Nothing;
    struct Reply {
        std::vector<Device> devices;
    };
};

/// Where a client that comes back had been: the last seq that it saw, and of which run of the daemon.
struct From {
    std::optional<std::uint64_t> since;
    std::optional<std::string> session;

    bool operator==(const From&) const = default;
};

struct Watch {
    static constexpr std::string_view name = "io.stillboot.Watch";
    using Parameters = From;
    struct Reply {
        Change change;
        std::optional<std::string> session;  ///< in the first reply
    };
};

struct GetLog {
    static constexpr std::string_view name = "io.stillboot.GetLog";
    using Parameters = From;
    struct Reply {
        std::vector<LogLine> lines;
        std::optional<std::string> session;  ///< in the first reply, as is
        std::optional<bool> whole;           ///< false: the lines go on from `since` without a gap
    };
};

struct ListClients {
    static constexpr std::string_view name = "io.stillboot.ListClients";
    using Parameters = Nothing;
    struct Reply {
        std::vector<Client> clients;
    };
};

struct Boot {
    static constexpr std::string_view name = "io.stillboot.Boot";
    struct Parameters {
        std::optional<std::string> option;                ///< an id, a title, or "@default"
        std::optional<std::string> kernel;                ///< in place of it: "DEVICE:/PATH" (handover::file_of)
        std::optional<std::vector<std::string>> initrds;  ///< behind the option's own
        std::optional<std::string> devicetree;
        std::optional<std::string> append;
        std::optional<std::string> args;
        std::optional<bool> dry_run;
        std::optional<bool> console;  ///< somebody at a console of the machine, where strict mode refuses it
    };
    struct Reply {
        std::string option;
        std::optional<Progress> progress;
        std::optional<std::vector<std::string>> plan;
    };
};

enum class Cancelled { nothing, countdown, handover };

struct Cancel {
    static constexpr std::string_view name = "io.stillboot.Cancel";
    struct Parameters {
        std::optional<bool> console;  ///< as that of Boot
    };
    struct Reply {
        Cancelled cancelled = Cancelled::nothing;
    };
};

struct Rescan {
    static constexpr std::string_view name = "io.stillboot.Rescan";
    struct Parameters {
        std::optional<std::string> device;
    };
    using Reply = Nothing;
};

struct AddConfiguration {
    static constexpr std::string_view name = "io.stillboot.AddConfiguration";
    struct Parameters {
        std::string path;  ///< "DEVICE:/PATH" (handover::file_of)
    };
    struct Reply {
        std::vector<std::string> options;  ///< ids
        std::vector<Diagnostic> diagnostics;
    };
};

struct OpenDevice {
    static constexpr std::string_view name = "io.stillboot.OpenDevice";
    struct Parameters {
        std::string device;
        std::optional<std::string> passphrase;
    };
    using Reply = Nothing;
};

struct WaitForNetwork {
    static constexpr std::string_view name = "io.stillboot.WaitForNetwork";
    struct Parameters {
        std::optional<std::uint64_t> deadline_ms;
    };
    using Reply = Nothing;
};

struct SetDefault {
    static constexpr std::string_view name = "io.stillboot.SetDefault";
    struct Parameters {
        std::optional<std::string> option;  ///< an id, a title, or "@default"; none: forget it
    };
    struct Reply {
        std::optional<std::string> option;  ///< its id
    };
};

struct SetOneShot {
    static constexpr std::string_view name = "io.stillboot.SetOneShot";
    using Parameters = SetDefault::Parameters;
    using Reply = SetDefault::Reply;
};

struct GetSettings {
    static constexpr std::string_view name = "io.stillboot.GetSettings";
    using Parameters = Nothing;
    struct Reply {
        std::vector<Setting> settings;
    };
};

struct SetSetting {
    static constexpr std::string_view name = "io.stillboot.SetSetting";
    struct Parameters {
        std::string key;
        std::optional<std::string> value;  ///< none: forget what was said
        std::optional<bool> once;          ///< for this start alone
        std::optional<bool> console;       ///< as that of Boot
    };
    struct Reply {
        Setting setting;
    };
};

struct LockConsole {
    static constexpr std::string_view name = "io.stillboot.LockConsole";
    using Parameters = Nothing;
    using Reply = Nothing;
};

struct UnlockConsole {
    static constexpr std::string_view name = "io.stillboot.UnlockConsole";
    struct Parameters {
        std::string password;
    };
    using Reply = Nothing;
};

struct SetTimeout {
    static constexpr std::string_view name = "io.stillboot.SetTimeout";
    struct Parameters {
        std::optional<std::int64_t> seconds;  ///< none: nothing boots by itself
        std::optional<bool> once;
        std::optional<bool> console;
    };
    using Reply = SetSetting::Reply;
};

struct GetSystem {
    static constexpr std::string_view name = "io.stillboot.GetSystem";
    using Parameters = Nothing;
    struct Reply {
        System system;
    };
};

struct GetQuiescePlan {
    static constexpr std::string_view name = "io.stillboot.GetQuiescePlan";
    using Parameters = Nothing;
    struct Reply {
        QuiescePlan plan;
    };
};

struct GetReport {
    static constexpr std::string_view name = "io.stillboot.GetReport";
    using Parameters = Nothing;
    struct Reply {
        std::optional<HandoverReport> report;  ///< none where the state store has none
    };
};

struct ListAttempts {
    static constexpr std::string_view name = "io.stillboot.ListAttempts";
    using Parameters = Nothing;
    struct Reply {
        std::vector<Attempt> attempts;  ///< the newest first
    };
};

struct GetTimes {
    static constexpr std::string_view name = "io.stillboot.GetTimes";
    using Parameters = Nothing;
    struct Reply {
        std::uint64_t boot_ms = 0;  ///< since the kernel's boot, when the daemon was started
        std::vector<Stage> stages;  ///< in the order in which they were reached
    };
};

struct Reboot {
    static constexpr std::string_view name = "io.stillboot.Reboot";
    struct Parameters {
        std::optional<bool> firmware_setup;  ///< which opens at the next start
        std::optional<bool> console;         ///< as that of Boot
    };
    using Reply = Nothing;
};

struct PowerOff {
    static constexpr std::string_view name = "io.stillboot.PowerOff";
    struct Parameters {
        std::optional<bool> console;  ///< as that of Boot
    };
    using Reply = Nothing;
};

}  // namespace stillboot::protocol
