// SPDX-License-Identifier: Apache-2.0
#include "daemon/discover/udev_source.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <set>

using namespace stillboot;
using namespace stillboot::discover;
namespace asio = boost::asio;

namespace {

asio::awaitable<void> wait_for_event(UdevSource& source, boost::system::error_code* ended_by) {
    try {
        for (;;) {
            (void)co_await source.next();
        }
    } catch (const boost::system::system_error& ended) {
        *ended_by = ended.code();
    }
}

}  // namespace

TEST_SUITE("discover") {
    TEST_CASE("closing the source ends the wait for its next event, and closing again does nothing") {
        asio::io_context loop;
        auto source = UdevSource::open(loop.get_executor());
        REQUIRE(source);
        boost::system::error_code ended_by;
        asio::co_spawn(loop, wait_for_event(**source, &ended_by), asio::detached);
        asio::post(loop, [&] {
            (*source)->close();
            (*source)->close();
        });
        loop.run();
        CHECK(ended_by == asio::error::operation_aborted);
    }

    TEST_CASE("what this machine has is enumerated as sysfs shows it, without what is ignored") {
        asio::io_context loop;
        auto source = UdevSource::open(loop.get_executor());
        REQUIRE(source);
        std::set<std::string> seen;
        for (const std::string& devpath : (*source)->devpaths()) {
            CAPTURE(devpath);
            CHECK(seen.insert(devpath).second);
            CHECK(std::filesystem::exists("/sys" + devpath));
            const auto facts = (*source)->read(devpath);
            if (!facts) {
                continue;  // udev has yet to look at it
            }
            CHECK(facts->devpath == devpath);
            CHECK_FALSE(is_ignored(facts->name));
            CHECK(facts->node == "/dev/" + facts->name);
            CHECK(facts->is_partition == (facts->disk_devpath != devpath));
            CHECK((!facts->is_partition || seen.contains(facts->disk_devpath)));
        }
        CHECK_FALSE((*source)->read("/devices/never/there"));
    }
}
