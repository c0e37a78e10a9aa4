// SPDX-License-Identifier: Apache-2.0
#include "daemon/loop/side_thread.hpp"

#include <doctest/doctest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>
#include <vector>

using namespace stillboot;

TEST_SUITE("loop") {
    TEST_CASE("work runs beside the loop, and its result is told on it, where the next may begin") {
        boost::asio::io_context loop{1};
        const auto work = boost::asio::make_work_guard(loop);
        const auto here = std::this_thread::get_id();
        SideThread thread(loop.get_executor());
        std::vector<int> told;
        CHECK_FALSE(thread.busy());
        thread.start([here] { return std::this_thread::get_id() != here ? 1 : 0; },
                     [&](int first) {
                         told.push_back(first);
                         CHECK(std::this_thread::get_id() == here);
                         CHECK_FALSE(thread.busy());
                         thread.start([] { return 2; }, [&](int second) { told.push_back(second); });
                     });
        CHECK(thread.busy());
        while (thread.busy()) {
            loop.run_one();
        }
        CHECK(told == std::vector<int>{1, 2});
    }

    TEST_CASE("what is destroyed waits for the work, and nobody is told") {
        boost::asio::io_context loop{1};
        bool done = false;
        bool told = false;
        std::promise<void> destroying;
        struct Owner {
            SideThread thread;
            std::shared_ptr<void> first_to_go;
        };
        {
            Owner owner{SideThread(loop.get_executor()),
                        std::shared_ptr<void>(nullptr, [&](void*) { destroying.set_value(); })};
            owner.thread.start(
                [&] {
                    destroying.get_future().wait();
                    return done = true;
                },
                [&](bool) { told = true; });
        }
        CHECK(done);
        loop.run();
        CHECK_FALSE(told);
    }

    TEST_CASE("what is said from another thread is told on the loop") {
        boost::asio::io_context loop{1};
        std::vector<int> told;
        const auto say = on_loop<int>(loop.get_executor(), [&](int what) { told.push_back(what); });
        std::jthread([say] { say(3); }).join();
        CHECK(told.empty());
        loop.run();
        CHECK(told == std::vector<int>{3});
    }
}
