// SPDX-License-Identifier: Apache-2.0
// The daemon's one state and what clients may do with it: registry, policy and hand-over behind the socket.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/events/event.hpp"
#include "daemon/handover/booter.hpp"
#include "daemon/loop/log.hpp"
#include "daemon/loop/throttle.hpp"
#include "daemon/main/history.hpp"
#include "daemon/main/settings_keeper.hpp"
#include "daemon/main/stage_times.hpp"
#include "daemon/password/attempts.hpp"
#include "daemon/password/hasher.hpp"
#include "daemon/policy/claims.hpp"
#include "daemon/protocol/methods.hpp"
#include "daemon/registry/registry.hpp"
#include "daemon/server/server.hpp"
#include "kexec/handover/hooks.hpp"

namespace stillboot {

/// What the core asks of the rest of the daemon.
struct CoreHooks {
    std::function<bool(const std::optional<std::string>& device)> rescan;  ///< false: no such device
    std::function<void()> settle_again;  ///< on_settled() is called once devices that went are looked at
    std::function<std::optional<Message>(bool power_off)> why_no_restart;  ///< none: restart() may be called
    std::function<void(bool power_off)> restart;
    std::function<std::vector<protocol::Client>()> clients;
    std::function<protocol::System()> system;
    std::function<std::optional<Error>()> why_no_passwords;  ///< none: check_password() can tell
    std::function<void(const std::string& hash, std::string password, password::OnChecked)> check_password;
    std::function<void(const std::string& hash, password::OnChecked)> check_hash;
    /// The firmware opens its setup at the next start; what is called then says why not.
    std::function<void(std::function<void(const Result<void>&)>)> ask_for_setup;
    /// Has the scans of a device read a file as well (Discovery::add).
    std::function<void(const std::string& device, const std::string& path,
                       std::function<void(const Result<NamedFile>&)> done)>
        add;
    /// Of a point that can change nothing.
    std::function<void(handover::HookPoint, handover::HookSubject)> run_hooks = [](auto, auto) {};
    std::function<void(const events::Event&)> tell = [](const auto&) {};
    /// The one of the setting `script`; `done` is told why it failed, or nothing.
    std::function<void(handover::ImageSource, std::function<void(const std::optional<Message>&)> done)>
        run_script = [](auto, auto) {};
};

/// A name for this run of the daemon that none before it had.
[[nodiscard]] std::string new_session();

/// A line of the log as clients see it.
[[nodiscard]] protocol::LogLine log_line_of(const LogEntry& entry);

/// Thread: the loop's alone. Lifetime: outlives the loop's last run, as does what it is given.
class Core final : public server::Handler {
public:
    Core(const boost::asio::any_io_executor& executor, registry::Registry& registry, policy::Policy& policy,
         handover::Booter& booter, Log& log, CoreHooks hooks, SettingsKeeper& settings, StageTimes& times);

    void on_call(const protocol::Call& call, const server::Peer& peer,
                 std::shared_ptr<server::Replier> replier) override;
    void on_trouble(const std::string& source, const Message& what) override;
    /// The registry has changed: clients are told, and the policy sees the new candidates.
    void on_registry_change();
    /// What was looked for is there, as far as it comes: at first, and after devices were away.
    void on_settled(bool complete);
    /// A hand-over that was cut off before this daemon was started is being undone, or is undone (see Policy).
    void on_recovering();
    void on_recovered(const std::string& option, const std::optional<Message>& reason);

    /// What the state store tells of the time before this kernel: before on_settled().
    void on_past(const handover::Past& past);
    /// True once on_past() was called.
    [[nodiscard]] bool store_was_read() const { return store_was_read_; }
    /// The hand-over takes the devices down next: whoever waits for it gets its last reply, for from there on it
    /// goes on without them. The value: who that was.
    [[nodiscard]] std::vector<std::shared_ptr<server::Replier>> leave_boot_callers();

    /// The settings are others now.
    void on_settings();
    /// The daemon ends: nothing is begun any more.
    void on_stop();

    [[nodiscard]] protocol::State state() const;
    /// This run of the daemon, as clients know it.
    [[nodiscard]] const std::string& session() const { return session_; }

private:
    using ReplierPtr = std::shared_ptr<server::Replier>;
    struct Caller {
        const protocol::Call& call;
        const server::Peer& peer;
        ReplierPtr replier;
    };
    using Method = void (Core::*)(const Caller&);

    void get_state(const Caller& caller);
    void list_options(const Caller& caller);
    void list_devices(const Caller& caller);
    void watch(const Caller& caller);
    void get_log(const Caller& caller);
    void list_clients(const Caller& caller);
    void list_boot_entries(const Caller& caller);
    void boot(const Caller& caller);
    void cancel(const Caller& caller);
    void rescan(const Caller& caller);
    void set_default(const Caller& caller);
    void set_one_shot(const Caller& caller);
    void choose(const Caller& caller, handover::ChosenFor when);
    void on_chosen(handover::ChosenFor when, const std::optional<handover::Choice>& what,
                   const Result<handover::Choices>& kept, const server::Peer& peer, server::Replier& replier);
    void get_quiesce_plan(const Caller& caller);
    void add_configuration(const Caller& caller);
    void open_device(const Caller& caller);
    void wait_for_network(const Caller& caller);
    void get_report(const Caller& caller);
    void get_system(const Caller& caller);
    void get_times(const Caller& caller);
    void list_attempts(const Caller& caller);
    void get_settings(const Caller& caller);
    void set_setting(const Caller& caller);
    void lock_console(const Caller& caller);
    void unlock_console(const Caller& caller);
    void cancel_later(const Caller& caller);
    void cancel_as_known();
    void settle_past(const handover::Past& past);
    void once_store_is_known(const ReplierPtr& replier, std::function<void()> act);
    void on_password(const Result<bool>& right, const server::Peer& peer, server::Replier& replier);
    [[nodiscard]] bool settings_known() const;
    [[nodiscard]] bool locks() const;
    [[nodiscard]] bool locks_in_vain() const;
    void look_at_lock();
    void set_timeout(const Caller& caller);
    void say_setting(const protocol::SetSetting::Parameters& asked, const Caller& caller);
    void say_password(const protocol::SetSetting::Parameters& asked, const Caller& caller);
    void keep_setting(const protocol::SetSetting::Parameters& asked, const server::Peer& peer,
                      const ReplierPtr& replier);
    void reboot(const Caller& caller);
    void power_off(const Caller& caller);
    void restart(const Caller& caller, bool power_off);
    void deny(const Caller& caller, protocol::Role needed);
    [[nodiscard]] bool answer_busy(const Caller& caller);

    std::optional<protocol::Option> option_to_boot(const protocol::Boot::Parameters& asked,
                                                   const ReplierPtr& replier) const;
    static void refuse(const Error& why, server::Replier& replier);
    static void refuse_file(const Error& why, const std::string& path, const ReplierPtr& replier);
    const protocol::Option* find_option(const std::string& what, const ReplierPtr& replier) const;
    void boot_option(const protocol::Option& option, handover::Request request, const Caller& caller);
    void dry_run(const std::string& option, handover::Request request, const ReplierPtr& replier);
    void act(const policy::Actions& actions);
    [[nodiscard]] std::optional<protocol::Option> option_of(const std::string& id, bool again) const;
    void start_boot(const std::string& option);
    [[nodiscard]] handover::MustRecord must_record() const;
    void on_boot_event(const handover::Event& event);
    void on_boot_failed(const Error& error);
    void end_boot_callers(const protocol::Reply& reply);
    void publish(protocol::Change change);
    void publish_state();
    [[nodiscard]] std::shared_ptr<const std::string> everything();
    [[nodiscard]] std::shared_ptr<const std::string> missed(std::uint64_t since,
                                                            const std::vector<SentChange>& changes) const;
    void arm_timer();
    [[nodiscard]] std::vector<policy::Claim> claims() const {
        return policy::claims_of(policy::ranked_rules(settings_.now(), kept_), registry_);
    }
    void keep_choices(const handover::Choices& choices);
    void tell_of_entry(const std::string& entry);
    void use_entry(const protocol::Option& option, handover::Request& request) const;
    [[nodiscard]] std::string default_option() const;
    [[nodiscard]] bool answer_strict(bool from_console, const Caller& caller);
    void do_final_action();
    void hand_over(handover::Request request);
    [[nodiscard]] handover::HookSubject default_subject() const;
    void tell_boot(events::Kind kind, const std::optional<Message>& reason = {});
    void tell_countdown();
    void begin_script(const std::string& path);
    void on_script_ended(const std::string& path, const std::optional<Message>& failure);
    void tell_default(events::Kind kind);
    void tell_of(events::Kind kind, std::string_view what, const server::Peer& peer,
                 const std::optional<handover::Choice>& choice = {});

    registry::Registry& registry_;
    policy::Policy& policy_;
    handover::Booter& booter_;
    Log& log_;
    CoreHooks hooks_;
    SettingsKeeper& settings_;
    StageTimes& times_;
    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::optional<std::chrono::steady_clock::time_point> strict_since_;  ///< its limit counts from then
    std::optional<protocol::HandoverReport> report_;                     ///< of the hand-over before this start
    handover::PastAttempts past_attempts_;
    policy::KeptChoices kept_;  ///< in the state store
    boost::asio::steady_timer timer_;
    Throttle trouble_{5, std::chrono::minutes(1)};
    password::Attempts password_attempts_;
    bool checking_password_ = false;
    bool store_was_read_ = false;  ///< and what it may say of the settings is known
    /// A cancel of a console that may turn out not to be locked, and whether strict mode would hold it.
    std::optional<bool> cancel_waits_;
    std::vector<std::function<void()>> for_store_;  ///< what is to be kept there, once it is known
    bool told_lock_ = false;                        ///< as clients know it
    bool told_known_ = false;
    bool told_in_vain_ = false;
    const std::string session_;
    History history_;
    std::weak_ptr<const std::string> whole_;  ///< the last reply that held everything, while anybody reads it
    std::uint64_t whole_seq_ = 0;
    std::chrono::steady_clock::time_point whole_made_{};
    std::vector<ReplierPtr> watchers_;
    std::vector<ReplierPtr> log_watchers_;
    std::vector<ReplierPtr> boot_watchers_;
    std::optional<handover::Request> chosen_;  ///< with the client's edits, until the policy has it started
    std::optional<handover::Retry> retry_;     ///< until it is started
    handover::HookSubject booting_;            ///< the boot that was started last
    std::string booting_by_;                   ///< who wants it
    std::string told_default_;                 ///< as clients know it
    std::string logged_why_;                   ///< what stands, in the log
    std::string told_countdown_;               ///< the option of the last countdown that was told
    std::optional<protocol::Progress> progress_;
    std::vector<Message> notices_;
    bool shell_ = false;         ///< strict mode has ended in one
    bool settled_once_ = false;  ///< what belongs to the start alone was done
    bool devices_went_ = false;  ///< for the boot that was started last
};

}  // namespace stillboot
