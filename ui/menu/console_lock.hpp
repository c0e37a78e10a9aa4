// SPDX-License-Identifier: Apache-2.0
// Whether this console is locked, and what is typed to unlock it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "config/base/result.hpp"
#include "daemon/protocol/types.hpp"
#include "ui/menu/key.hpp"

namespace stillboot::menu {

/// Locked where the daemon says that consoles are, which it knows once it has read all settings, until the
/// password was given, and again after a while without a key. No clock of its own.
class ConsoleLock {
public:
    using Instant = std::chrono::steady_clock::time_point;
    static constexpr std::size_t max_bytes = 256;
    /// How long a daemon that does not answer is waited for before the console is taken for one without a lock:
    /// who comes to mend it needs the shell.
    static constexpr std::chrono::seconds away_limit{30};

    /// @param console  of the machine; what is none is never locked
    /// @param begins   what holds before the daemon has said anything
    ConsoleLock(bool console, bool begins) : console_(console), wanted_(console && begins), locked_(wanted_) {
        typed_.reserve(max_bytes);  // never moved: what would stay behind could not be wiped
    }
    ConsoleLock(const ConsoleLock&) = delete;
    ConsoleLock& operator=(const ConsoleLock&) = delete;
    ~ConsoleLock() { forget(); }

    /// What the daemon says now. True where it locks what was open.
    bool on_state(const protocol::State& state);
    /// There is no daemon.
    void on_away(Instant now);
    /// Nobody has said yet whether this console is locked.
    [[nodiscard]] bool unknown() const { return console_ && !known_ && !wanted_; }
    /// Consoles like this one are to be locked, whether it is or not.
    [[nodiscard]] bool wanted() const { return wanted_; }
    [[nodiscard]] bool locked() const { return locked_; }
    /// False where nothing is to be locked here.
    bool lock();
    void unlock(Instant now);
    /// Somebody is there.
    void touch(Instant now) { last_key_ = now; }
    /// Until it locks itself; nothing where it does not.
    [[nodiscard]] std::optional<std::chrono::milliseconds> left(Instant now) const;
    [[nodiscard]] std::chrono::seconds idle_limit() const { return wanted_ ? after_ : std::chrono::seconds(0); }

    /// Without a key.
    [[nodiscard]] std::chrono::milliseconds idle(Instant now) const;

    /// Asks for the password.
    void ask();
    void stop_asking();
    [[nodiscard]] bool asking() const { return asking_; }
    /// The password where the key gives one; `asking` has ended where it left.
    std::optional<std::string> press(const KeyPress& key, Instant now);
    /// It was not accepted.
    void on_refused(const Error& why, Instant now);
    /// How many characters are typed.
    [[nodiscard]] std::size_t typed() const;
    /// Until another one is looked at; zero: now.
    [[nodiscard]] std::chrono::milliseconds wait(Instant now) const;
    /// What is to be said below what is typed.
    [[nodiscard]] Message says(Instant now) const;

private:
    void forget();

    bool console_;
    bool wanted_;
    bool locked_;
    bool known_ = false;  ///< the daemon had read all settings when it said so
    std::optional<Instant> away_since_;
    std::chrono::seconds after_{0};
    Instant last_key_{};
    bool asking_ = false;
    bool sent_ = false;  ///< and not yet answered
    std::string typed_;
    std::optional<Error> refusal_;
    Instant next_try_{};
};

}  // namespace stillboot::menu
