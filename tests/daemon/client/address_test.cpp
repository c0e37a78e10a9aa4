// SPDX-License-Identifier: Apache-2.0
// What --host accepts.
#include "daemon/client/address.hpp"

#include <doctest/doctest.h>

using stillboot::client::Address;
using stillboot::client::parse_address;

TEST_SUITE("client") {
    TEST_CASE("a host is a socket's path, or a machine that ssh reaches") {
        CHECK(parse_address("unix:/run/x")->path == "/run/x");
        CHECK(parse_address("unix:/run/x")->kind == Address::Kind::unix_socket);
        CHECK(parse_address("unix:/run/x")->place() == "/run/x");
        const auto full = parse_address("ssh://anna@host.example:2222");
        REQUIRE(full);
        CHECK(full->kind == Address::Kind::ssh);
        CHECK(full->user == "anna");
        CHECK(full->host == "host.example");
        CHECK(full->port == 2222);
        CHECK(full->place() == "host.example");
        CHECK(parse_address("ssh://h")->user.empty());
        CHECK(parse_address("ssh://h")->port == 0);
        CHECK(parse_address("ssh://[2001:db8::1]:22")->host == "2001:db8::1");
        CHECK(parse_address("ssh://[::1]")->port == 0);
    }

    TEST_CASE("anything else is none, above all what would be an option or a second word") {
        for (const char* text : {"",
                                 "unix:",
                                 "host",
                                 "http://h",
                                 "ssh:h",
                                 "ssh://",
                                 "ssh://-oProxyCommand=x",
                                 "ssh://-l@h",
                                 "ssh://@h",
                                 "ssh://a b@h",
                                 "ssh://h/x",
                                 "ssh://h:",
                                 "ssh://h:0",
                                 "ssh://h:65536",
                                 "ssh://h:22x",
                                 "ssh://h x",
                                 "ssh://h;x",
                                 "ssh://$(x)",
                                 "ssh://[::1",
                                 "ssh://[::1]22",
                                 "ssh://::1",
                                 "ssh://[]",
                                 "ssh://a@b@c",
                                 "ssh://[-x]"}) {
            CAPTURE(std::string(text));
            CHECK_FALSE(parse_address(text));
        }
        CHECK_FALSE(parse_address("ssh://" + std::string(300, 'a')));
    }
}
