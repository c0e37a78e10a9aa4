// SPDX-License-Identifier: Apache-2.0
#include "daemon/server/peer.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "config/base/unique_fd.hpp"

using namespace stillboot;
using namespace stillboot::server;
using protocol::Role;

TEST_SUITE("server") {
    TEST_CASE("roles have words, and each holds those below it") {
        for (const Role role : {Role::look, Role::boot, Role::configure, Role::all}) {
            CHECK(protocol::role_of_word(protocol::to_word(role)) == role);
        }
        CHECK_FALSE(protocol::role_of_word("root"));
        CHECK_FALSE(protocol::role_of_word(""));
        CHECK(protocol::includes(Role::configure, Role::boot));
        CHECK(protocol::includes(Role::boot, Role::boot));
        CHECK_FALSE(protocol::includes(Role::boot, Role::configure));
    }

    TEST_CASE("the highest role of somebody's groups counts, whatever else the file holds") {
        constexpr std::string_view file =
            "root:x:0:\n"
            "stillboot-boot:x:700:anna,bert\n"
            "stillboot-configure:x:701:\n"
            "stillboot-nothing:x:702:\n"
            "stillboot-all:x:703\n"
            "stillboot-all:x:\n"
            "stillboot-all:x:70x:\n"
            "stillboot-all\n"
            ":::\n"
            "boot:x:704:";
        CHECK(role_of_groups(file, {}) == Role::look);
        CHECK(role_of_groups(file, {0, 100}) == Role::look);
        CHECK(role_of_groups(file, {100, 700}) == Role::boot);
        CHECK(role_of_groups(file, {701, 700}) == Role::configure);
        CHECK(role_of_groups(file, {702}) == Role::look);
        CHECK(role_of_groups(file, {703, 700}) == Role::all);
        CHECK(role_of_groups(file, {704, 70}) == Role::look);
        CHECK(role_of_groups("stillboot-boot:x:7", {7}) == Role::boot);
        CHECK(role_of_groups("", {7}) == Role::look);
        CHECK(role_of_groups("stillboot-boot:x:99999999999:", {7}) == Role::look);
    }

    TEST_CASE("the kernel tells the groups of whoever is at the other end") {
        std::array<int, 2> ends = {};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        const UniqueFd here(ends[0]);
        const UniqueFd there(ends[1]);
        const auto groups = groups_of_peer(here.get());
        CHECK(std::find(groups.begin(), groups.end(), ::getegid()) != groups.end());
        CHECK(groups_of_peer(-1).empty());
        CHECK(Peer(7, 8).who().sentence() == "user 7 (process 8)");
    }
}
