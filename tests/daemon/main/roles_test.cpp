// SPDX-License-Identifier: Apache-2.0
// That each method needs the role which the interface says.
#include "daemon/protocol/service.hpp"
#include "tests/daemon/main/core_fixture.hpp"
#include "tests/daemon/protocol/interface_text.hpp"

using namespace stillboot;
using namespace stillboot::test;
using protocol::Role;

TEST_SUITE("core") {
    TEST_CASE_FIXTURE(CoreFixture,
                      "each method of the interface is there, and needs the role that its comment says") {
        for (const auto& member : members_of(protocol::interface_description(protocol::interface_name))) {
            if (member.kind != "method") {
                continue;
            }
            CAPTURE(member.name);
            const auto needed = protocol::role_of_word(member.role);
            REQUIRE(needed);
            for (const Role has : {Role::look, Role::boot, Role::configure, Role::all}) {
                server::Peer peer(1000, 2);
                peer.role = has;
                // A parameter that no method has: what may be called does nothing.
                const auto reply = call(member.name, {{"nonsense", 1}}, true, peer)->replies.at(0);
                if (protocol::includes(has, *needed)) {
                    CHECK(reply.error == "org.varlink.service.InvalidParameter");
                } else {
                    CHECK(reply.error == "io.stillboot.PermissionDenied");
                    CHECK(reply.parameters.at("needed") == boost::json::value(member.role));
                }
            }
        }
    }
}
