// SPDX-License-Identifier: Apache-2.0
// The verbs that go on over several connections: wait and list --watch; and clients.
#include <doctest/doctest.h>

#include <chrono>

#include "daemon/protocol/failure.hpp"
#include "tests/ui/cli/scripted_server.hpp"
#include "ui/cli/reconnecting.hpp"

using namespace stillboot;
using cli::ExitCode;
using test::run;
using test::ScriptedServer;
using Words = std::vector<std::string>;

namespace {

protocol::State state(protocol::Phase phase) {
    protocol::State out;
    out.phase = phase;
    out.why = Message("daemon.why_discovering");
    out.version = "1";
    return out;
}

protocol::Change change(std::uint64_t seq, std::optional<protocol::State> state = std::nullopt) {
    protocol::Change out;
    out.seq = seq;
    out.state = std::move(state);
    return out;
}

protocol::Change whole(std::uint64_t seq, protocol::State state) {
    auto out = change(seq, std::move(state));
    out.whole = true;
    return out;
}

protocol::Change with_option(protocol::Change change, const std::string& id) {
    protocol::Option option;
    option.id = id;
    option.title = "Linux";
    option.device_id = "disk";
    option.kernel.path = "/k";
    change.options.push_back(std::move(option));
    return change;
}

protocol::Reply told(protocol::Change change, std::optional<std::string> session = std::nullopt) {
    protocol::Watch::Reply watched;
    watched.change = std::move(change);
    watched.session = std::move(session);
    protocol::Reply out;
    out.parameters = protocol::to_json(watched).as_object();
    out.continues = true;
    return out;
}

}  // namespace

TEST_SUITE("cli") {
    TEST_CASE("wait ends when there is an option, when it is known what boots, or when all is quiet") {
        using protocol::Phase;
        auto known = state(Phase::countdown);
        known.would_boot = "a";
        auto scanning = change(3, state(Phase::idle));
        protocol::Device device;
        device.id = "disk";
        device.state = protocol::DeviceState::scanning;
        scanning.devices = {device};
        device.state = protocol::DeviceState::found;
        auto scanned = change(4);
        scanned.devices = {device};
        ScriptedServer server;
        server.answer_all(protocol::Watch::name,
                          {told(whole(0, state(Phase::discovering)), "s"), told(with_option(change(1), "a")),
                           told(change(2, known)), told(scanning), told(scanned)});
        server.start();
        for (const char* what : {"options", "default", "idle"}) {
            CAPTURE(std::string(what));
            const auto ran = run(server, {"wait", what, "--timeout", "20"});
            CHECK(ran.code == ExitCode::done);
            CHECK(ran.out == "");
            CHECK(ran.err == "");
        }
        CHECK(run(server, {"wait", "default", "--json=short"}).out.starts_with("{\"phase\":\"countdown\","));
        CHECK(run(server, {"wait", "options", "--json=short"}).out.starts_with("{\"phase\":\"discovering\","));
    }

    TEST_CASE("where nothing boots by itself, wait default ends when it is known what @default is") {
        auto settled = with_option(change(2, state(protocol::Phase::idle)), "a");
        settled.state->default_option = "a";
        protocol::Device device;
        device.id = "disk";
        settled.devices = {device};
        auto early = settled;
        early.seq = 1;
        early.state->phase = protocol::Phase::discovering;
        ScriptedServer server;
        server.answer_in_turn(
            protocol::Watch::name,
            {{told(whole(0, state(protocol::Phase::idle)), "s")}, {told(early)}, {told(settled)}});
        server.start();
        CHECK(run(server, {"wait", "default", "--timeout", "20"}).code == ExitCode::done);
        CHECK(server.stop().size() == 3);
    }

    TEST_CASE("a wait that takes too long fails with the words") {
        ScriptedServer server;
        server.answer_all(protocol::Watch::name, {told(whole(0, state(protocol::Phase::discovering)), "s")});
        server.start();
        const auto ran = run(server, {"wait", "options", "--timeout", "0.05", "--json"});
        CHECK(ran.code == ExitCode::failed);
        CHECK(ran.out == "");
        CHECK(ran.err == "stillboot: the time to wait for options is over: it has not come\n");
    }

    TEST_CASE("a daemon that is not up is waited for, as long as there is time") {
        const test::TemporaryTree tree;
        const auto ran = test::run_stillboot(
            {"--host", "unix:" + (tree.path() / "none").string(), "wait", "idle", "--timeout", "0.05"});
        CHECK(ran.code == ExitCode::failed);
        const std::string reason = "stillbootd cannot be reached at " + (tree.path() / "none").string() +
                                   ": ENOENT (No such file or directory)";
        CHECK(ran.err == "stillboot: " + reason + ". It is tried again.\n" +
                             "stillboot: the time to wait for idle is over: " + reason + "\n");
    }

    TEST_CASE("a daemon that comes later, and a connection that breaks, are part of the wait") {
        ScriptedServer server;
        server.answer_in_turn(protocol::Watch::name, {{},
                                                      {told(whole(4, state(protocol::Phase::discovering)), "s")},
                                                      {told(change(4), "s"), told(with_option(change(5), "a"))}});
        server.start();
        CHECK(run(server, {"wait", "options", "--timeout", "20"}).code == ExitCode::done);
        const auto calls = server.stop();
        REQUIRE(calls.size() == 3);
        CHECK(calls[1].parameters.at("since").is_null());
        CHECK(calls[2].parameters.at("since") == 4);
        CHECK(calls[2].parameters.at("session") == "s");
    }

    TEST_CASE("an error that no waiting helps ends the wait") {
        ScriptedServer server;
        server.answer_all(protocol::Watch::name,
                          {protocol::permission_denied(protocol::Role::boot, protocol::Role::look)});
        server.start();
        CHECK(run(server, {"wait", "options"}).code == ExitCode::refused);
    }

    TEST_CASE("wait takes one of its words and a time that makes sense") {
        CHECK(test::run_stillboot({"wait"}).code == ExitCode::usage);
        CHECK(test::run_stillboot({"wait", "christmas"}).code == ExitCode::usage);
        CHECK(test::run_stillboot({"wait", "idle", "--timeout", "-1"}).code == ExitCode::usage);
        CHECK(test::run_stillboot({"wait", "idle", "--timeout", "soon"}).code == ExitCode::usage);
        CHECK(test::run_stillboot({"wait", "idle", "--timeout", "nan"}).code == ExitCode::usage);
        CHECK(test::run_stillboot({"wait", "idle", "--timeout", "inf"}).code == ExitCode::usage);
    }

    TEST_CASE("list --watch goes on where a lost connection was, and says where it cannot") {
        ScriptedServer server;
        const auto here = state(protocol::Phase::idle);
        protocol::Reply last = told(change(10));
        last.continues = false;
        server.answer_in_turn(protocol::Watch::name,
                              {{told(with_option(whole(7, here), "a"), "s")},
                               {told(change(7), "s"), told(with_option(change(8), "b")), protocol::too_slow()},
                               {told(with_option(whole(9, here), "c"), "t"), last}});
        server.start();
        const auto ran = run(server, {"list", "--watch"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out == "+ Linux  a\n+ Linux  b\n+ Linux  c\n");
        CHECK(ran.err ==
              "stillboot: stillbootd closed the connection. It is tried again.\n"
              "stillboot: the connection was ended: replies were read too slowly. It is tried again.\n"
              "The connection was lost, and not all that came meanwhile is kept. From the beginning:\n");
        const auto calls = server.stop();
        REQUIRE(calls.size() == 3);
        CHECK(calls[1].parameters.at("since") == 7);
        CHECK(calls[2].parameters.at("since") == 8);
    }

    TEST_CASE("list --watch waits for a daemon that says nothing yet, and says why once") {
        ScriptedServer server;
        protocol::Reply last = told(with_option(whole(9, state(protocol::Phase::idle)), "c"), "t");
        last.continues = false;
        server.answer_in_turn(protocol::Watch::name, {{}, {}, {last}});
        server.start();
        const auto ran = run(server, {"list", "--watch"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out == "+ Linux  c\n");
        CHECK(ran.err == "stillboot: stillbootd closed the connection. It is tried again.\n");
    }

    TEST_CASE("what does not change by itself ends list --watch and wait where it is the first that comes") {
        std::ostringstream out;
        std::ostringstream err;
        cli::Context context(out, err);
        const Error denied("daemon.ssh_failed", {{"host", "h"}, {"reason", "Permission denied"}});
        const Error refused("daemon.tls_failed", {{"host", "h"}, {"reason", "no certificate"}});
        const Error closed = Error::from_errno(EACCES, "daemon.unreachable", {{"path", "/s"}});
        const Error away = Error::from_errno(ECONNREFUSED, "daemon.unreachable", {{"path", "/s"}});
        cli::Reconnecting first(context);
        CHECK(first.ends_with(denied));
        CHECK(first.ends_with(refused));
        CHECK(first.ends_with(closed));
        CHECK_FALSE(first.ends_with(away));
        first.on_heard();
        CHECK_FALSE(first.ends_with(denied));
        CHECK(first.ends_with(Error("daemon.permission_denied")));
    }

    TEST_CASE("pauses grow from a tenth of a second to one here, and from one second to ten elsewhere") {
        std::ostringstream out;
        std::ostringstream err;
        cli::Context context(out, err);
        const Error why("daemon.connection_ended");
        const auto after_many = [&](cli::Reconnecting& reconnecting) {
            std::vector<std::int64_t> pauses;
            for (int i = 0; i < 6; ++i) {
                pauses.push_back(reconnecting.pause_after(why).count());
            }
            return pauses;
        };
        cli::Reconnecting here(context);
        CHECK(after_many(here) == std::vector<std::int64_t>{100, 200, 400, 800, 1000, 1000});
        here.on_heard();
        CHECK(here.pause_after(why).count() == 100);
        context.daemon.kind = client::Address::Kind::ssh;
        cli::Reconnecting elsewhere(context);
        CHECK(after_many(elsewhere) == std::vector<std::int64_t>{1000, 2000, 4000, 8000, 10000, 10000});
    }

    TEST_CASE("clients says who is connected and what was not read") {
        ScriptedServer server;
        protocol::ListClients::Reply reply;
        reply.clients.resize(2);
        reply.clients[0].since_ms = 60'000;
        reply.clients[0].peer = "user 0, process 7";
        reply.clients[1].peer = "user 1000 (process 8)\x1b[2J";
        reply.clients[1].method = "io.stillboot.Watch";
        reply.clients[1].queued_bytes = 4000;
        server.answer(protocol::ListClients::name, protocol::to_json(reply));
        server.start();
        const auto ran = run(server, {"clients"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out.find(":01:00  user 0, process 7\n") != std::string::npos);
        CHECK(ran.out.find(":00:00  user 1000 (process 8)?[2J  io.stillboot.Watch  4 kB not read yet\n") !=
              std::string::npos);
        CHECK(run(server, {"clients", "--json=short"}).out.starts_with("{\"clients\":[{\"since_ms\":60000,"));
    }
}
