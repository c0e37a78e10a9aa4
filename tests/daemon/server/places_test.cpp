// SPDX-License-Identifier: Apache-2.0
// How many may be connected, in all and of one kind.
#include <doctest/doctest.h>

#include "daemon/gate/listener.hpp"
#include "tests/daemon/server/served.hpp"

using namespace stillboot;
using namespace stillboot::server;
using namespace stillboot::test;
using namespace std::chrono_literals;

TEST_SUITE("places of the server") {
    TEST_CASE("past the number of connections a new one is closed, and taken again when another goes") {
        Limits limits;
        limits.max_connections = 2;
        limits.max_user_connections = 2;
        Machine machine(limits);
        auto one = machine.connect();
        const auto two = machine.connect();
        machine.send(two, echo(1));
        machine.receive(two);
        const auto three = machine.connect();
        CHECK(machine.receive(three).find("2 connections are open, and no more are taken") != std::string::npos);
        CHECK(machine.receive(three) == "<end>");
        REQUIRE(machine.handler.troubles.size() == 1);
        CHECK(machine.handler.troubles[0].ends_with(
            " was turned away: 2 connections are open, and no more are taken"));
        one.reset();
        while (machine.server.connections() != 1) {
            machine.loop.run_one_for(10ms);
        }
        const auto four = machine.connect();
        machine.send(four, echo(4));
        CHECK(machine.receive(four) == R"({"parameters":{"n":4}})");
    }

    TEST_CASE("one user has a share of the connections, and others have theirs") {
        Limits limits;
        limits.max_own_connections = 1;
        Machine machine(limits);
        const auto one = machine.admit(Peer(1000, 1));
        const auto two = machine.admit(Peer(1000, 2));
        CHECK(machine.receive(two).find("1 connections of this user or certificate are open") !=
              std::string::npos);
        CHECK(machine.receive(two) == "<end>");
        for (const Peer& peer :
             {Peer(1001, 3), Peer("anna", "[::1]:5", protocol::Role::look), Peer(0, 4), Peer(0, 5)}) {
            const auto other = machine.admit(peer);
            machine.send(other, echo(1));
            CHECK(machine.receive(other) == R"({"parameters":{"n":1}})");
        }
        CHECK(machine.handler.troubles.size() == 1);
    }

    TEST_CASE("one certificate has a share of the places over TLS, from whichever addresses it comes") {
        CHECK(2 * Limits().max_certificate_connections < Limits().max_remote_connections);
        Limits limits;
        limits.max_certificate_connections = 2;
        Machine machine(limits);
        const auto one = machine.admit(Peer("anna", "10.0.0.1:5", protocol::Role::look));
        const auto two = machine.admit(Peer("anna", "10.0.0.2:5", protocol::Role::look));
        const auto three = machine.admit(Peer("anna", "10.0.0.3:5", protocol::Role::look));
        CHECK(machine.receive(three).find("2 connections of this user or certificate are open") !=
              std::string::npos);
        CHECK(machine.receive(three) == "<end>");
        CHECK(machine.handler.troubles ==
              std::vector<std::string>{"anna at 10.0.0.3:5 was turned away: 2 connections of this user or "
                                       "certificate are open, and no more are "
                                       "taken of one"});
        const auto other = machine.admit(Peer("bert", "10.0.0.1:6", protocol::Role::look));
        machine.send(other, echo(1));
        CHECK(machine.receive(other) == R"({"parameters":{"n":1}})");
    }

    TEST_CASE("all certificates together have a share, and who comes when it is taken is told so") {
        // What the gate carries beyond that is for telling: it hangs up without a word itself.
        CHECK(Limits().max_remote_connections + 8 == gate::Limits().max_clients);
        Limits limits;
        limits.max_remote_connections = 2;
        Machine machine(limits);
        const auto one = machine.admit(Peer("anna", "10.0.0.1:5", protocol::Role::look));
        auto two = machine.admit(Peer("bert", "10.0.0.2:5", protocol::Role::look));
        const Peer third("carl", "10.0.0.3:5", protocol::Role::all);
        const auto turned_away = machine.admit(third);
        CHECK(machine.receive(turned_away).find("2 connections over TLS are open, and no more are taken") !=
              std::string::npos);
        CHECK(machine.receive(turned_away) == "<end>");
        const auto local = machine.admit(Peer(1000, 1));
        machine.send(local, echo(1));
        CHECK(machine.receive(local) == R"({"parameters":{"n":1}})");
        two.reset();
        while (machine.server.connections() != 2) {
            machine.loop.run_one_for(10ms);
        }
        const auto taken = machine.admit(third);
        machine.send(taken, echo(2));
        CHECK(machine.receive(taken) == R"({"parameters":{"n":2}})");
    }
}
