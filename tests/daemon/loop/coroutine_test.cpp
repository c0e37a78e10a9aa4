// SPDX-License-Identifier: Apache-2.0
// The patterns of coroutines that this project allows itself, so that a compiler that breaks one of them is seen
// here first. g++ 12.2 breaks others: aggregates as operands of co_await, and a choice within one.
#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "daemon/loop/deadline.hpp"
#include "daemon/loop/spawn.hpp"

using namespace stillboot;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// Counts how often it lives, so that a double free or a leak is a number.
struct Counted {
    explicit Counted(std::string words) : text(std::move(words)), alive(std::make_shared<int>(0)) { ++count; }
    Counted(const Counted& other) : text(other.text), alive(other.alive) { ++count; }
    Counted(Counted&& other) noexcept : text(std::move(other.text)), alive(std::move(other.alive)) { ++count; }
    Counted& operator=(const Counted&) = default;
    Counted& operator=(Counted&&) = default;
    ~Counted() { --count; }
    std::string text;
    std::shared_ptr<int> alive;
    static inline int count = 0;
};

const std::string long_text(100, 'x');

asio::awaitable<Counted> pass_on(Counted value, std::string more) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    value.text += more;
    co_return value;
}

asio::awaitable<Result<Counted>> maybe(Counted value, bool good) {
    if (!good) {
        co_return Error("base.not_a_file", {{"path", value.text}});
    }
    auto passed = co_await pass_on(std::move(value), "+");
    co_return passed;
}

asio::awaitable<void> walk(std::vector<std::string>* out) {
    for (int i = 0; i < 3; ++i) {
        Counted made(long_text);
        auto result = co_await maybe(std::move(made), i != 1);
        if (!result) {
            out->push_back(result.error().sentence());
            continue;
        }
        Counted taken = std::move(*result);
        out->push_back(taken.text);
    }
}

asio::awaitable<void> fail() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    throw std::runtime_error("on purpose");
}

asio::awaitable<void> wait_for_ever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

TEST_SUITE("loop") {
    TEST_CASE("values with constructors travel through coroutines and each is destroyed once") {
        asio::io_context loop(1);
        std::vector<std::string> out;
        std::vector<std::string> faults;
        const Spawner spawner(loop.get_executor(),
                              [&](const std::string&, const std::string& what) { faults.push_back(what); });
        spawner.spawn("walk", walk(&out));
        loop.run();
        CHECK(faults.empty());
        REQUIRE(out.size() == 3);
        CHECK(out[0] == long_text + "+");
        CHECK(out[1] == long_text + " is not a regular file");
        CHECK(out[2] == long_text + "+");
        CHECK(Counted::count == 0);
    }

    TEST_CASE("what a coroutine throws is heard with its name, and being told to end is no fault") {
        asio::io_context loop(1);
        std::vector<std::string> faults;
        const Spawner spawner(loop.get_executor(), [&](const std::string& name, const std::string& what) {
            faults.push_back(name + ": " + what);
        });
        asio::cancellation_signal signal;
        spawner.spawn("failing", fail());
        spawner.spawn("waiting", wait_for_ever(), signal.slot());
        loop.poll();
        signal.emit(asio::cancellation_type::terminal);
        loop.run();
        CHECK(faults == std::vector<std::string>{"failing: on purpose"});
    }

    TEST_CASE("a deadline that has passed cancels once; one that was left in time never does") {
        asio::io_context loop(1);
        int cancelled = 0;
        {
            const Deadline left(loop.get_executor(), 0ms, [&] { cancelled += 100; });
            // Its handler is queued already when it is destroyed.
            asio::steady_timer other(loop, 1ms);
            other.wait();
        }
        const Deadline passed(loop.get_executor(), 0ms, [&] { ++cancelled; });
        loop.run();
        CHECK(cancelled == 1);
        CHECK(passed.expired());
    }
}
