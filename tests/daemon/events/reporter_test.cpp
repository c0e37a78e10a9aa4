// SPDX-License-Identifier: Apache-2.0
// Places that fail, block and recover.
#include "daemon/events/reporter.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <condition_variable>
#include <deque>

using namespace stillboot;
using namespace stillboot::events;
using namespace std::chrono_literals;

namespace {

/// What a place does, in the test's hands.
struct Control {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> told;
    std::vector<std::string> said;
    int tries = 0;
    int syncs = 0;
    bool fails = false;
    bool blocks = false;

    void set(bool& what, bool value) {
        const std::lock_guard lock(mutex);
        what = value;
        changed.notify_all();
    }
    void wait(const std::function<bool()>& holds) {
        std::unique_lock lock(mutex);
        REQUIRE(changed.wait_for(lock, 10s, holds));
    }
};

class ControlledSink final : public Sink {
public:
    explicit ControlledSink(std::shared_ptr<Control> control) : control_(std::move(control)) {}
    Result<void> send(const Line& line) override {
        std::unique_lock lock(control_->mutex);
        ++control_->tries;
        control_->changed.notify_all();
        control_->changed.wait(lock, [&] { return !control_->blocks; });
        if (control_->fails) {
            return Error("daemon.said", {{"text", "not now"}});
        }
        control_->told.push_back(line.text);
        control_->changed.notify_all();
        return {};
    }
    void sync() override {
        const std::lock_guard lock(control_->mutex);
        ++control_->syncs;
    }

private:
    std::shared_ptr<Control> control_;
};

std::unique_ptr<Reporter> reporter_of(const std::vector<std::shared_ptr<Control>>& controls,
                                      std::chrono::milliseconds pause = 1h) {
    std::vector<Place> places;
    for (const auto& control : controls) {
        places.push_back({"a place", std::make_unique<ControlledSink>(control)});
    }
    return std::make_unique<Reporter>(
        std::move(places), Origin{"session", "machine"},
        [control = controls.front()](const Message& what) {
            const std::lock_guard lock(control->mutex);
            control->said.push_back(what.sentence());
            control->changed.notify_all();
        },
        pause);
}

std::uint64_t seq_of(const std::string& line) {
    return boost::json::parse(line).at("seq").to_number<std::uint64_t>();
}

}  // namespace

TEST_SUITE("events") {
    TEST_CASE("each place gets each event in order, and a flush waits until it is kept") {
        const auto one = std::make_shared<Control>();
        const auto two = std::make_shared<Control>();
        const auto reporter = reporter_of({one, two});
        for (int i = 0; i < 3; ++i) {
            reporter->tell(Event());
        }
        reporter->flush(10s);
        for (const auto& control : {one, two}) {
            REQUIRE(control->told.size() == 3);
            CHECK(seq_of(control->told[0]) == 1);
            CHECK(seq_of(control->told[2]) == 3);
            CHECK(control->syncs == 1);
        }
        reporter->flush(10s);
        CHECK(one->syncs == 2);
    }

    TEST_CASE("a place that fails is said once, holds up neither a flush nor another place, and gets all later") {
        const auto failing = std::make_shared<Control>();
        const auto good = std::make_shared<Control>();
        failing->fails = true;
        const auto reporter = reporter_of({failing, good});
        reporter->tell(Event());
        reporter->tell(Event());
        reporter->flush(1h);
        CHECK(good->told.size() == 2);
        CHECK(failing->said ==
              std::vector<std::string>{
                  "events are kept back and tried again, for they cannot be told to a place: not now"});
        reporter->flush(1h);
        CHECK(failing->said.size() == 1);
        failing->set(failing->fails, false);
        reporter->flush(1h);
        CHECK(failing->told.size() == 2);
        CHECK(seq_of(failing->told[0]) == 1);
    }

    TEST_CASE("a place that fails is tried again by itself") {
        const auto control = std::make_shared<Control>();
        control->fails = true;
        const auto reporter = reporter_of({control}, 1ms);
        reporter->tell(Event());
        control->wait([&] { return control->tries >= 3; });
        control->set(control->fails, false);
        control->wait([&] { return control->told.size() == 1; });
    }

    TEST_CASE("what is too much is forgotten, the oldest first, and that is said") {
        const auto control = std::make_shared<Control>();
        control->fails = true;
        const auto reporter = reporter_of({control});
        for (std::size_t i = 0; i < Reporter::max_waiting + 5; ++i) {
            reporter->tell(Event());
        }
        reporter->flush(1h);
        control->set(control->fails, false);
        reporter->flush(1h);
        control->wait([&] { return control->said.size() == 2; });
        CHECK(control->told.size() == Reporter::max_waiting);
        CHECK(seq_of(control->told.front()) == 6);
        CHECK(control->said[1] == "a place is told of events again; 5 were forgotten meanwhile");
    }

    TEST_CASE("a place that blocks delays a flush by its deadline, and is left behind at the end") {
        const auto control = std::make_shared<Control>();
        control->blocks = true;
        {
            const auto reporter = reporter_of({control});
            reporter->tell(Event());
            control->wait([&] { return control->tries == 1; });
            const auto began = std::chrono::steady_clock::now();
            reporter->flush(20ms);
            CHECK(std::chrono::steady_clock::now() - began >= 20ms);
        }
        control->set(control->blocks, false);
        control->wait([&] { return control->told.size() == 1; });
    }
}
