// SPDX-License-Identifier: Apache-2.0
// A thread for each place.
#include "daemon/events/reporter.hpp"

#include <time.h>

#include <condition_variable>
#include <deque>
#include <thread>
#include <utility>

namespace stillboot::events {
namespace {

constexpr std::chrono::seconds end_deadline{1};

std::uint64_t now_ms(clockid_t clock) {
    struct timespec now = {};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

/// What the thread and the reporter share. The thread holds it too, for it may be stuck in the kernel for good.
class Reporter::Worker {
public:
    Worker(Place place, Say say, std::chrono::milliseconds pause)
        : place_(std::move(place)), say_(std::move(say)), pause_(pause) {}

    static void start(const std::shared_ptr<Worker>& worker) {
        std::thread([worker] { worker->run(); }).detach();
    }

    void add(Line line) {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() == max_waiting) {
            waiting_.pop_front();
            ++forgotten_;
        }
        waiting_.push_back(std::move(line));
        changed_.notify_all();
    }

    void begin_flush() {
        const std::lock_guard lock(mutex_);
        wants_flush_ = true;
        changed_.notify_all();
    }

    void wait_flushed(std::chrono::steady_clock::time_point until) {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, until, [&] { return !wants_flush_; });
    }

    void end() {
        std::unique_lock lock(mutex_);
        ending_ = true;
        changed_.notify_all();
        changed_.wait_for(lock, end_deadline, [&] { return ended_; });
    }

private:
    void run();
    void send_front(std::unique_lock<std::mutex>& lock);
    void note(const Result<void>& sent, std::unique_lock<std::mutex>& lock);

    Place place_;
    Say say_;
    const std::chrono::milliseconds pause_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Line> waiting_;
    std::uint64_t forgotten_ = 0;
    bool failing_ = false;
    bool wants_flush_ = false;
    bool ending_ = false;
    bool ended_ = false;
};

void Reporter::Worker::note(const Result<void>& sent, std::unique_lock<std::mutex>& lock) {
    const bool begins_to_fail = !sent && !failing_;
    failing_ = !sent;
    if (ending_) {
        return;  // who is told may be gone already
    }
    const std::uint64_t forgotten = sent ? std::exchange(forgotten_, 0) : 0;
    if (!begins_to_fail && forgotten == 0) {
        return;
    }
    lock.unlock();
    if (begins_to_fail) {
        say_(Message("daemon.events_fail", {{"place", place_.name}, {"reason", sent.error().sentence()}}));
    } else {
        say_(Message("daemon.events_forgotten", {{"place", place_.name}, {"count", forgotten}}));
    }
    lock.lock();
}

void Reporter::Worker::send_front(std::unique_lock<std::mutex>& lock) {
    const Line line = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    const auto sent = place_.sink->send(line);
    lock.lock();
    if (!sent) {
        waiting_.push_front(line);
        if (waiting_.size() > max_waiting) {
            waiting_.pop_front();
            ++forgotten_;
        }
    }
    note(sent, lock);
}

void Reporter::Worker::run() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
        if (failing_) {
            changed_.wait_for(lock, pause_, [&] { return ending_ || wants_flush_; });
        } else {
            changed_.wait(lock, [&] { return ending_ || wants_flush_ || !waiting_.empty(); });
        }
        const bool flushing = wants_flush_;
        bool good = true;
        while (good && !waiting_.empty() && !ending_) {
            send_front(lock);
            good = !failing_;
        }
        if (flushing && !ending_) {
            lock.unlock();
            place_.sink->sync();
            lock.lock();
            wants_flush_ = !waiting_.empty() && good;  // more came meanwhile
            changed_.notify_all();
        }
    }
    lock.unlock();
    place_.sink.reset();
    lock.lock();
    ended_ = true;
    changed_.notify_all();
}

Reporter::Reporter(std::vector<Place> places, Origin origin, Say say, std::chrono::milliseconds retry_pause)
    : origin_(std::move(origin)) {
    for (Place& place : places) {
        workers_.push_back(std::make_shared<Worker>(std::move(place), say, retry_pause));
        Worker::start(workers_.back());
    }
}

Reporter::~Reporter() {
    for (const auto& worker : workers_) {
        worker->end();
    }
}

void Reporter::tell(const Event& event) {
    if (workers_.empty()) {
        return;
    }
    const std::lock_guard lock(mutex_);
    Moment moment;
    moment.time_ms = now_ms(CLOCK_REALTIME);
    moment.uptime_ms = now_ms(CLOCK_BOOTTIME);
    moment.seq = ++seq_;
    const Line line = line_of(event, origin_, moment);
    for (const auto& worker : workers_) {
        worker->add(line);
    }
}

void Reporter::flush(std::chrono::milliseconds deadline) {
    const auto until = std::chrono::steady_clock::now() + deadline;
    for (const auto& worker : workers_) {
        worker->begin_flush();
    }
    for (const auto& worker : workers_) {
        worker->wait_flushed(until);
    }
}

}  // namespace stillboot::events
