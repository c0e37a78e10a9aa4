// SPDX-License-Identifier: Apache-2.0
#include "daemon/discover/udev_source.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <fstream>
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

asio::awaitable<void> take_one_event(UdevSource& source, DeviceEvent* event) {
    *event = co_await source.next();
}

/// A network of our own, which has its own device events, and a /run of our own where udev seems to run: without
/// it libudev listens to nothing. False where this is not allowed here.
bool enter_namespaces() {
    const uid_t user = ::geteuid();
    if (::unshare(CLONE_NEWNET | CLONE_NEWNS | (user == 0 ? 0 : CLONE_NEWUSER)) != 0) {
        return false;
    }
    if (user != 0) {
        std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
    }
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("none", "/run", "tmpfs", 0, nullptr) == 0 && ::mkdir("/run/udev", 0755) == 0 &&
           std::ofstream("/run/udev/control").good();
}

/// More messages to those who listen to udev than any of them has room for.
void flood_listeners() {
    constexpr unsigned udev_group = 2;
    constexpr int more_than_the_receive_buffer = 4096;
    const int sender = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    sockaddr_nl group{};
    group.nl_family = AF_NETLINK;
    group.nl_groups = udev_group;
    const std::vector<char> message(8192, 'x');
    for (int count = 0; count < more_than_the_receive_buffer; ++count) {
        (void)::sendto(sender, message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&group),
                       sizeof(group));
    }
    ::close(sender);
}

enum Outcome : int { said_so, no_source, silent, not_allowed };

Outcome lose_events() {
    if (!enter_namespaces()) {
        return not_allowed;
    }
    asio::io_context loop;
    auto source = UdevSource::open(loop.get_executor());
    if (!source) {
        return no_source;
    }
    flood_listeners();
    DeviceEvent event;
    asio::co_spawn(loop, take_one_event(**source, &event), asio::detached);
    loop.run_for(std::chrono::seconds(20));  // a limit for what fails
    return event.kind == DeviceEvent::Kind::lost_events ? said_so : silent;
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

    TEST_CASE("events that the kernel had no room for are said to be lost") {
        const pid_t child = ::fork();
        if (child == 0) {
            ::_exit(lose_events());
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFEXITED(status));
        if (WEXITSTATUS(status) == not_allowed) {
            MESSAGE("skipped: no namespaces of our own are allowed here");
        } else {
            CHECK(WEXITSTATUS(status) == said_so);
        }
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
