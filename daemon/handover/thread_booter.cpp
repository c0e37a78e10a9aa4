// SPDX-License-Identifier: Apache-2.0
// One thread, one hand-over, events posted to the loop.
#include "daemon/handover/thread_booter.hpp"

#include <boost/asio/post.hpp>
#include <deque>
#include <thread>
#include <utility>

#include "daemon/handover/machine_ports.hpp"
#include "daemon/handover/quiesce_plan.hpp"
#include "daemon/handover/read_past.hpp"
#include "daemon/loop/side_thread.hpp"
#include "daemon/platform/platform.hpp"
#include "quiesce/load_policy.hpp"
#include "quiesce/silent_disks.hpp"

namespace stillboot::handover {
namespace {

/// What may wait for its turn beside the loop.
constexpr std::size_t max_waiting = 32;

// Runs on the hand-over's thread; the callbacks run on the loop.
class PostingObserver final : public Observer {
public:
    PostingObserver(boost::asio::any_io_executor loop, BootEvents events)
        : loop_(std::move(loop)), events_(std::move(events)) {}
    void on_event(const Event& event) override {
        boost::asio::post(loop_, [tell = events_.on_event, event] { tell(event); });
    }
    void on_line(const Message& line) override {
        boost::asio::post(loop_, [tell = events_.on_line, line] { tell(line); });
    }

private:
    boost::asio::any_io_executor loop_;
    BootEvents events_;
};

// What is wrong in a rule file the daemon has logged when it started.
quiesce::Policy policy_of(const Root& root, const Settings& settings, std::vector<std::string> stuck_nodes) {
    quiesce::Policy policy = quiesce::load_policy(root, settings).policy;
    policy.hung = std::move(stuck_nodes);
    return policy;
}

// Ends at once where no disk has anything to answer.
constexpr std::chrono::seconds disk_patience{5};

quiesce::Policy policy_for_boot(const Root& root, const Settings& settings, std::vector<std::string> stuck_nodes) {
    quiesce::Policy policy = policy_of(root, settings, std::move(stuck_nodes));
    policy.silent = quiesce::silent_disks(
        root, disk_patience, [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); });
    return policy;
}

Result<std::vector<std::string>> plan_lines(const Root& root, const Settings& settings, const Request& request,
                                            std::vector<std::string> stuck_nodes) {
    Unobserved observer;
    const MachinePorts machine(root, policy_for_boot(root, settings, std::move(stuck_nodes)), settings, observer);
    const auto plan = prepare(request, handover_options(settings), machine.ports());
    return plan ? Result<std::vector<std::string>>(plan->text()) : plan.error();
}

Result<protocol::QuiescePlan> plan_of_devices(const Root& root, const Settings& settings,
                                              std::vector<std::string> stuck_nodes) {
    Unobserved observer;
    const MachinePorts machine(root, policy_for_boot(root, settings, std::move(stuck_nodes)), settings, observer);
    auto plan = machine.ports().quiescer.plan();
    if (!plan) {
        return plan.error();
    }
    plan->refusals = machine.ports().surroundings.beyond_us(plan->refusals);
    return to_protocol(*plan);
}

struct Failed {
    Error why;
    PastAttempt ended;
    std::optional<std::string> hung_node;  ///< whose file system is mounted writable by what is stuck there
};

// The whole hand-over; returns only where it failed.
Failed hand_over(const Root& root, const Settings& settings, const Request& request,
                 std::vector<std::string> stuck_nodes, Observer& observer,
                 const std::function<void(const Request&)>& before_take_down, std::stop_token stop) {
    const MachinePorts machine(root, policy_for_boot(root, settings, std::move(stuck_nodes)), settings, observer,
                               [&] { before_take_down(request); });
    const auto plan = prepare(request, handover_options(settings), machine.ports());
    Outcome outcome;
    if (plan) {
        outcome = run(*plan, machine.ports(), std::move(stop));
    } else {
        outcome.failure = plan.error();
    }
    PastAttempt ended = note_ended(machine.ports(), request, outcome);
    Error failure = outcome.failure.value_or(Error("daemon.jump_returned"));
    const bool hangs = failure.code() == "state.entry_hangs";
    auto hung_node = hangs ? std::optional(std::string(failure.message().param("device"))) : std::nullopt;
    if (outcome.not_back.empty()) {
        return {std::move(failure), std::move(ended), std::move(hung_node)};
    }
    std::string lost;
    for (const auto& each : outcome.not_back) {
        lost += (lost.empty() ? "" : "; ") + each.sentence();
    }
    return {Error("daemon.failed_and_lost", {{"reason", failure.sentence()}, {"lost", lost}}), std::move(ended),
            std::move(hung_node)};
}

// Reads what the store holds, changes it and writes it back.
Result<State> change_state(const Root& root, const Settings& settings, std::string_view no_store,
                           const std::function<Result<void>(State&, const quiesce::StateStore&)>& change) {
    const auto store = open_store(root, settings);
    if (store == nullptr) {
        return Error(no_store);
    }
    auto state = read_state(*store);
    if (!state) {
        return state.error();
    }
    if (auto changed = change(*state, *store); !changed) {
        return changed.error();
    }
    auto written = write_state(*store, *state);
    return written ? std::move(state) : written.error();
}

}  // namespace

class ThreadBooter::Impl : public std::enable_shared_from_this<Impl> {
public:
    Impl(boost::asio::any_io_executor loop, const Root& root, Settings settings, ScanControl scans)
        : loop_(loop),
          root_(root),
          settings_(std::move(settings)),
          scans_(std::move(scans)),
          thread_(std::move(loop)) {}

    void start(Request request, BootEvents events);
    void plan(Request request, std::function<void(Result<std::vector<std::string>>)> done);
    void quiesce_plan(std::function<void(const Result<protocol::QuiescePlan>&)> done);
    void recover(std::function<void(const Result<std::optional<Recovery>>&)> done);
    void look_back(std::function<void(const std::optional<Past>&)> done);
    using Change = std::function<Result<void>(State&, const quiesce::StateStore&)>;
    void change(std::string_view no_store, Change change, std::function<void(const Result<State>&)> done);
    void ask_for_setup(std::function<void(const Result<void>&)> done);
    void set_settings(const Settings& settings) { settings_ = settings; }
    [[nodiscard]] bool has_left_over() const { return root_.exists(quiesce::RunStateStore::default_path); }
    void cancel() { stop_.request_stop(); }
    [[nodiscard]] bool busy() const { return busy_; }

private:
    void begin(Request request, BootEvents events);
    [[nodiscard]] std::vector<std::string> with_hung(std::vector<std::string> stuck_nodes) const;
    void run_thread(Request request, BootEvents events, std::vector<std::string> stuck_nodes);
    template <class T>
    void run_beside(std::function<T()> work, std::function<void(const T&)> done, T when_busy);
    void on_failed(const Error& failure, const std::function<void(const Error&)>& tell);
    void on_planned();

    boost::asio::any_io_executor loop_;
    const Root& root_;
    Settings settings_;
    ScanControl scans_;
    std::stop_source stop_;
    bool busy_ = false;
    bool planning_ = false;
    std::vector<std::string> hung_nodes_;  ///< in which a thread of ours is stuck, too, until this daemon ends
    std::function<void()> after_plan_;
    struct Waiting {
        std::function<void()> run;
        std::function<void()> refuse;
    };
    std::deque<Waiting> waiting_;
    std::vector<std::function<void(const Result<protocol::QuiescePlan>&)>> for_quiesce_plan_;
    SideThread thread_;
};

// A plan only looks: a hand-over waits for it. Refused as busy it would count as a boot that failed, and the clock
// would pass the default over.
void ThreadBooter::Impl::start(Request request, BootEvents events) {
    if (busy_ && (!planning_ || after_plan_)) {
        return boost::asio::post(loop_, [tell = events.on_failed] { tell(Error("handover.busy")); });
    }
    busy_ = true;
    stop_ = std::stop_source();
    if (planning_) {
        after_plan_ = [this, request = std::move(request), events = std::move(events)] { begin(request, events); };
        return;
    }
    begin(std::move(request), std::move(events));
}

void ThreadBooter::Impl::begin(Request request, BootEvents events) {
    scans_.stop([self = weak_from_this(), request = std::move(request),
                 events = std::move(events)](std::vector<std::string> stuck_nodes) {
        if (const auto alive = self.lock()) {
            alive->run_thread(request, events, alive->with_hung(std::move(stuck_nodes)));
        }
    });
}

std::vector<std::string> ThreadBooter::Impl::with_hung(std::vector<std::string> stuck_nodes) const {
    stuck_nodes.insert(stuck_nodes.end(), hung_nodes_.begin(), hung_nodes_.end());
    return stuck_nodes;
}

void ThreadBooter::Impl::run_thread(Request request, BootEvents events, std::vector<std::string> stuck_nodes) {
    thread_.start(
        [this, request = std::move(request), events, stuck = std::move(stuck_nodes), stop = stop_.get_token()] {
            PostingObserver observer(loop_, events);
            return hand_over(root_, settings_, request, stuck, observer, scans_.before_take_down, stop);
        },
        [this, ended = events.on_ended, tell = events.on_failed](const Failed& failed) {
            if (failed.hung_node) {
                hung_nodes_.push_back(*failed.hung_node);
            }
            if (ended) {
                ended(failed.ended);
            }
            on_failed(failed.why, tell);
        });
}

void ThreadBooter::Impl::on_failed(const Error& failure, const std::function<void(const Error&)>& tell) {
    busy_ = false;
    scans_.start();
    tell(failure);
}

void ThreadBooter::Impl::plan(Request request, std::function<void(Result<std::vector<std::string>>)> done) {
    run_beside<Result<std::vector<std::string>>>(
        [this, request = std::move(request), settings = settings_, stuck = with_hung(scans_.stuck_nodes())] {
            return plan_lines(root_, settings, request, stuck);
        },
        std::move(done), Error("handover.busy"));
}

// Reading the devices takes a while, and everybody may ask: all who wait get what one reading found.
void ThreadBooter::Impl::quiesce_plan(std::function<void(const Result<protocol::QuiescePlan>&)> done) {
    for_quiesce_plan_.push_back(std::move(done));
    if (for_quiesce_plan_.size() > 1) {
        return;
    }
    run_beside<Result<protocol::QuiescePlan>>(
        [this, settings = settings_, stuck = with_hung(scans_.stuck_nodes())] {
            return plan_of_devices(root_, settings, stuck);
        },
        [this](const Result<protocol::QuiescePlan>& plan) {
            for (const auto& tell : std::exchange(for_quiesce_plan_, {})) {
                tell(plan);
            }
        },
        Error("handover.busy"));
}

void ThreadBooter::Impl::recover(std::function<void(const Result<std::optional<Recovery>>&)> done) {
    busy_ = true;
    thread_.start(
        [this] {
            Unobserved observer;
            const MachinePorts machine(root_, policy_of(root_, settings_, {}), settings_, observer);
            return handover::recover(machine.ports(), [this] { return wait_for_store(root_, settings_); });
        },
        [this, done = std::move(done)](const Result<std::optional<Recovery>>& recovery) {
            busy_ = false;
            done(recovery);
        });
}

void ThreadBooter::Impl::look_back(std::function<void(const std::optional<Past>&)> done) {
    run_beside<std::optional<Past>>([this, settings = settings_] { return read_past(root_, settings); },
                                    std::move(done), std::nullopt);
}

void ThreadBooter::Impl::change(std::string_view no_store, Change change,
                                std::function<void(const Result<State>&)> done) {
    run_beside<Result<State>>([this, no_store, change = std::move(change),
                               settings = settings_] { return change_state(root_, settings, no_store, change); },
                              std::move(done), Error("handover.busy"));
}

void ThreadBooter::Impl::ask_for_setup(std::function<void(const Result<void>&)> done) {
    run_beside<Result<void>>([this] { return platform::platform_of(root_)->ask_for_setup(); }, std::move(done),
                             Error("handover.busy"));
}

// On the thread, where the store may take its time. What comes meanwhile waits for its turn, a hand-over before
// all else; during one, and behind too many, it is answered at once.
template <class T>
void ThreadBooter::Impl::run_beside(std::function<T()> work, std::function<void(const T&)> done, T when_busy) {
    if (busy_) {
        if (!planning_ || after_plan_ || waiting_.size() >= max_waiting) {
            return done(when_busy);
        }
        waiting_.push_back({[this, work, done, when_busy] { run_beside<T>(work, done, when_busy); },
                            [done, when_busy] { done(when_busy); }});
        return;
    }
    busy_ = true;
    planning_ = true;
    thread_.start(std::move(work), [this, done = std::move(done)](const T& result) {
        done(result);
        on_planned();
    });
}

void ThreadBooter::Impl::on_planned() {
    planning_ = false;
    busy_ = after_plan_ != nullptr;
    if (const auto next = std::exchange(after_plan_, nullptr)) {
        for (const auto& each : std::exchange(waiting_, {})) {
            each.refuse();
        }
        return next();
    }
    if (!waiting_.empty()) {
        const Waiting first = std::move(waiting_.front());
        waiting_.pop_front();
        first.run();
    }
}

ThreadBooter::ThreadBooter(boost::asio::any_io_executor loop, const Root& root, Settings settings,
                           ScanControl scans)
    : impl_(std::make_shared<Impl>(std::move(loop), root, std::move(settings), std::move(scans))) {}

ThreadBooter::~ThreadBooter() {
    impl_->cancel();
}

void ThreadBooter::start(Request request, BootEvents events) {
    impl_->start(std::move(request), std::move(events));
}
void ThreadBooter::cancel() {
    impl_->cancel();
}
bool ThreadBooter::busy() const {
    return impl_->busy();
}
void ThreadBooter::plan(Request request, std::function<void(Result<std::vector<std::string>>)> done) {
    impl_->plan(std::move(request), std::move(done));
}
void ThreadBooter::quiesce_plan(std::function<void(const Result<protocol::QuiescePlan>&)> done) {
    impl_->quiesce_plan(std::move(done));
}
void ThreadBooter::look_back(std::function<void(const std::optional<Past>&)> done) {
    impl_->look_back(std::move(done));
}
void ThreadBooter::ask_for_setup(std::function<void(const Result<void>&)> done) {
    impl_->ask_for_setup(std::move(done));
}
void ThreadBooter::set_settings(const Settings& settings) {
    impl_->set_settings(settings);
}
void ThreadBooter::choose(ChosenFor when, std::optional<Choice> what,
                          std::function<void(const Result<Choices>&)> done) {
    const auto keep = [when, what](State& state, const quiesce::StateStore&) {
        (when == ChosenFor::next_start ? state.choices.one_shot : state.choices.saved_default) = what;
        return Result<void>();
    };
    impl_->change("handover.no_place_to_choose", keep, [done = std::move(done)](const Result<State>& state) {
        done(state ? Result<Choices>(state->choices) : state.error());
    });
}
void ThreadBooter::keep_setting(const std::string& key, std::optional<std::string> value,
                                std::function<void(const Result<std::vector<SettingText>>&)> done) {
    const auto keep = [key, value = std::move(value)](State& state, const quiesce::StateStore& store) {
        put_text(state.settings, key, value);
        return value ? leaves_room(store, state) : Result<void>();
    };
    impl_->change("handover.no_place_to_keep", keep, [done = std::move(done)](const Result<State>& state) {
        done(state ? Result<std::vector<SettingText>>(state->settings) : state.error());
    });
}
bool ThreadBooter::has_left_over() const {
    return impl_->has_left_over();
}
void ThreadBooter::recover(std::function<void(const Result<std::optional<Recovery>>&)> done) {
    impl_->recover(std::move(done));
}

}  // namespace stillboot::handover
