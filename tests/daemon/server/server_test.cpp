// SPDX-License-Identifier: Apache-2.0
#include "daemon/server/server.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include "config/base/unique_fd.hpp"
#include "daemon/protocol/failure.hpp"
#include "tests/daemon/server/served.hpp"

using namespace stillboot;
using namespace stillboot::server;
using namespace stillboot::test;
using namespace std::chrono_literals;
using protocol::Call;
using protocol::Reply;

TEST_SUITE("server") {
    TEST_CASE("calls are answered in their order, also those sent at once and byte by byte") {
        Machine machine;
        const auto client = machine.connect();
        machine.send(client, echo(1) + echo(2));
        CHECK(machine.receive(client) == R"({"parameters":{"n":1}})");
        CHECK(machine.receive(client) == R"({"parameters":{"n":2}})");
        for (const char byte : echo(3)) {
            machine.send(client, {&byte, 1});
        }
        CHECK(machine.receive(client) == R"({"parameters":{"n":3}})");
        CHECK(machine.handler.peers.at(0).uid == ::getuid());
        CHECK(machine.handler.peers.at(0).pid == ::getpid());
    }

    TEST_CASE("a connection that is locked may look, whatever its peer may, and no other is") {
        Machine machine;
        const auto console = machine.connect();
        const auto other = machine.connect();
        const auto allowed = [&](const UniqueFd& client, std::string_view name) {
            machine.send(client, method(name));
            (void)machine.receive(client);
            return machine.handler.peers.back().allowed();
        };
        const protocol::Role own = allowed(console, "x.Lock");
        CHECK(own == (::getuid() == 0 ? protocol::Role::all : protocol::Role::look));
        CHECK(allowed(console, "x.Echo") == protocol::Role::look);
        CHECK(allowed(other, "x.Echo") == own);
        CHECK(allowed(console, "x.Unlock") == protocol::Role::look);
        CHECK(allowed(console, "x.Echo") == own);
        CHECK(Peer(0, 1).allowed() == protocol::Role::all);
    }

    TEST_CASE("cut at each length, what is whole is answered, and the rest goes with its client or is completed") {
        const std::string wire = echo(1) + echo(2);
        const std::size_t whole = echo(1).size();
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            CAPTURE(cut);
            Machine machine;
            const auto goes = machine.connect();
            const auto stays = machine.connect();
            for (const auto* client : {&goes, &stays}) {
                machine.send(*client, std::string_view(wire).substr(0, cut));
            }
            const std::string first = R"({"parameters":{"n":1}})";
            const std::string second = R"({"parameters":{"n":2}})";
            ::shutdown(goes.get(), SHUT_WR);
            std::string got;
            for (std::size_t answers = 0; answers <= cut / whole; ++answers) {
                got += machine.receive(goes);
            }
            CHECK(got == (cut < whole ? "" : cut < wire.size() ? first : first + second) + "<end>");
            machine.send(stays, std::string_view(wire).substr(cut));
            CHECK(machine.receive(stays) == first);
            CHECK(machine.receive(stays) == second);
            CHECK(machine.handler.troubles.empty());
        }
    }

    TEST_CASE("the service describes itself without the handler") {
        Machine machine;
        const auto client = machine.connect();
        machine.send(client, method("org.varlink.service.GetInfo"));
        CHECK(machine.receive(client).find("io.stillboot") != std::string::npos);
        CHECK(machine.handler.peers.empty());
    }

    TEST_CASE("a call that is held holds its client's next one and nobody else's") {
        Machine machine;
        const auto slow = machine.connect();
        const auto quick = machine.connect();
        machine.send(slow, method("x.Hold") + echo(1));
        machine.send(quick, echo(2));
        CHECK(machine.receive(quick) == R"({"parameters":{"n":2}})");
        REQUIRE(machine.handler.held.size() == 1);
        CHECK(machine.handler.held[0]->reply(Reply()));
        CHECK(machine.receive(slow) == R"({"parameters":{}})");
        CHECK(machine.receive(slow) == R"({"parameters":{"n":1}})");
        CHECK_FALSE(machine.handler.held[0]->reply(Reply()));
    }

    TEST_CASE("a last reply is heard when its client calls again, or has gone") {
        for (const bool calls : {true, false}) {
            CAPTURE(calls);
            Machine machine;
            UniqueFd client = machine.connect();
            machine.send(client, method("x.Hold"));
            machine.wait_until_held();
            const auto replier = machine.handler.held.front();
            replier->reply(Reply());
            CHECK_FALSE(replier->heard());
            machine.receive(client);
            CHECK_FALSE(replier->heard());
            if (calls) {
                machine.send(client, echo(1));
            } else {
                client.reset();
            }
            for (int i = 0; i < 1000 && !replier->heard(); ++i) {
                machine.loop.run_one_for(10ms);
            }
            CHECK(replier->heard());
        }
    }

    TEST_CASE("a oneway call is not answered and the next one is") {
        Machine machine;
        const auto client = machine.connect();
        Call call;
        call.method = "x.Echo";
        call.oneway = true;
        machine.send(client, protocol::encode(call) + echo(7));
        CHECK(machine.receive(client) == R"({"parameters":{"n":7}})");
    }

    TEST_CASE("nonsense ends its own connection and no other") {
        for (const std::string_view bytes :
             {std::string_view("nonsense\0", 9), std::string_view("{}\0", 3), std::string_view("\0", 1),
              std::string_view("{\"method\":\"x.Echo\",\"upgrade\":true}\0", 36)}) {
            Machine machine;
            const auto bad = machine.connect();
            const auto good = machine.connect();
            machine.send(bad, bytes);
            CHECK(machine.receive(bad) == "<end>");
            machine.send(good, echo(1));
            CHECK(machine.receive(good) == R"({"parameters":{"n":1}})");
            REQUIRE(machine.handler.troubles.size() == 1);
            CHECK(machine.handler.troubles[0].starts_with("user " + std::to_string(::getuid()) + " (process " +
                                                          std::to_string(::getpid()) + ") was cut off: the "));
        }
    }

    TEST_CASE("a message past the limit is not awaited to its end") {
        Limits limits;
        limits.max_call_bytes = 100'000;
        Machine machine(limits);
        const auto bad = machine.connect();
        const auto good = machine.connect();
        machine.send(bad, std::string(200'000, ' '));
        CHECK(machine.receive(bad) == "<end>");
        machine.send(good, echo(1));
        CHECK(machine.receive(good) == R"({"parameters":{"n":1}})");
    }

    TEST_CASE("half a message has a deadline; a client that sends nothing has none") {
        Limits limits;
        limits.frame_deadline = 50ms;
        Machine machine(limits);
        const auto half = machine.connect();
        const auto silent = machine.connect();
        machine.send(half, "{\"method\"");
        CHECK(machine.receive(half) == "<end>");
        machine.send(silent, echo(1));
        CHECK(machine.receive(silent) == R"({"parameters":{"n":1}})");
        REQUIRE(machine.handler.troubles.size() == 1);
        CHECK(machine.handler.troubles[0].ends_with("its message did not come to an end within 1 s"));
    }

    TEST_CASE("a client that does not read is cut off with the words, after what it was being sent") {
        Limits limits;
        limits.max_queued_bytes = 50'000;
        Machine machine(limits);
        const auto deaf = machine.connect();
        const auto good = machine.connect();
        machine.send(deaf, method("x.Flood", true));
        machine.send(good, echo(1));
        CHECK(machine.receive(good) == R"({"parameters":{"n":1}})");
        CHECK(machine.handler.flooded < 100);  // what the kernel takes, and five that wait
        std::string last;
        for (std::string next = machine.receive(deaf); next != "<end>"; next = machine.receive(deaf)) {
            REQUIRE(next.find('<') == std::string::npos);
            last = next;
        }
        CHECK(last == R"({"error":"io.stillboot.TooSlow","parameters":{}})");
        REQUIRE(machine.handler.troubles.size() == 1);
        CHECK(machine.handler.troubles[0].find("was cut off: it reads too slowly, and ") != std::string::npos);
    }

    TEST_CASE("one who never reads at all is dropped when the write deadline is over") {
        Limits limits;
        limits.max_queued_bytes = 50'000;
        limits.write_deadline = 50ms;
        Machine machine(limits);
        const auto deaf = machine.connect();
        machine.send(deaf, method("x.Hold", true));
        machine.wait_until_held();
        Reply huge;
        huge.continues = true;
        huge.parameters["filler"] = std::string(4'000'000, 'x');
        CHECK(machine.handler.held[0]->reply(huge));
        while (machine.server.connections() != 0) {
            machine.loop.run_one_for(10ms);
        }
        machine.loop.poll();
        CHECK_FALSE(machine.handler.held[0]->open());
        REQUIRE(machine.handler.troubles.size() == 1);
        CHECK(machine.handler.troubles[0].ends_with("it took nothing of what waits for it for 1 s"));
        CHECK_FALSE(machine.handler.held[0]->reply(huge));
    }

    TEST_CASE("one reply may be longer than the queue") {
        Limits limits;
        limits.max_queued_bytes = 10;
        Machine machine(limits);
        const auto client = machine.connect();
        machine.send(client, echo(123456789));
        CHECK(machine.receive(client) == R"({"parameters":{"n":123456789}})");
    }

    TEST_CASE("what comes right after one long reply is no sign of a client that does not read") {
        Limits limits;
        limits.max_queued_bytes = 1000;
        Machine machine(limits);
        const auto client = machine.connect();
        machine.send(client, method("x.Hold", true));
        machine.wait_until_held();
        Reply reply;
        reply.continues = true;
        reply.parameters["filler"] = std::string(1'000'000, 'x');
        CHECK(machine.handler.held[0]->reply(reply));
        reply.parameters["filler"] = std::string(500, 'y');
        CHECK(machine.handler.held[0]->reply(reply));
        CHECK_FALSE(machine.handler.held[0]->reply(reply));
        CHECK(machine.receive(client).size() > 1'000'000);
        CHECK(machine.receive(client) == R"({"error":"io.stillboot.TooSlow","parameters":{}})");
    }

    TEST_CASE("what waits for all clients together has a bound, which what they share does not count in") {
        Limits limits;
        limits.max_unread_bytes = ::geteuid() == 0 ? 600'000 : 1'200'000;  // root may have twice as much
        Machine machine(limits);
        const auto hold = [&](std::size_t count) {
            auto client = machine.connect();
            machine.send(client, method("x.Hold", true));
            while (machine.handler.held.size() < count) {
                machine.loop.run_one_for(10ms);
            }
            return client;
        };
        const auto one = hold(1);
        const auto two = hold(2);
        const auto three = hold(3);
        auto& held = machine.handler.held;
        const auto shared = std::make_shared<const std::string>(std::string(2'000'000, 'x') + '\0');
        CHECK(held[0]->reply_frame(shared, true));
        const auto own = [](std::size_t size) {
            return std::make_shared<const std::string>(std::string(size, 'x') + '\0');
        };
        CHECK(held[1]->reply_frame(own(1'000'000), true));
        CHECK_FALSE(held[2]->reply_frame(own(400'000), true));
        CHECK_FALSE(held[2]->open());
        machine.loop.poll();
        REQUIRE(machine.handler.troubles.size() == 1);
        CHECK(machine.handler.troubles[0].ends_with(
            "its reply would have to wait, and 1200000 bytes of replies wait for clients already"));
        // What was read makes room again.
        CHECK(machine.receive(two).size() == 1'000'000);
        machine.loop.poll();
        const auto four = hold(4);
        CHECK(held[3]->reply_frame(own(1'000'000), true));
    }

    TEST_CASE("who is connected is told with what each waits for and has not read") {
        Machine machine;
        const auto idle = machine.connect();
        const auto waiting = machine.connect();
        machine.send(idle, echo(1));
        machine.receive(idle);
        machine.send(waiting, method("x.Hold", true));
        machine.wait_until_held();
        Reply huge;
        huge.continues = true;
        huge.parameters["filler"] = std::string(4'000'000, 'x');
        CHECK(machine.handler.held[0]->reply(huge));
        const auto clients = machine.server.clients();
        REQUIRE(clients.size() == 2);
        CHECK(clients[0].uid == ::getuid());
        CHECK(clients[0].pid == ::getpid());
        CHECK(clients[0].peer ==
              "user " + std::to_string(::getuid()) + " (process " + std::to_string(::getpid()) + ")");
        CHECK(clients[0].since_ms > 1'600'000'000'000);
        CHECK_FALSE(clients[0].method);
        CHECK(clients[0].queued_bytes == 0);
        CHECK(clients[1].method == "x.Hold");
        CHECK(clients[1].queued_bytes > 4'000'000);
    }

    TEST_CASE("a client that goes while its call is held leaves nothing behind") {
        Machine machine;
        auto client = machine.connect();
        machine.send(client, method("x.Hold", true));
        machine.wait_until_held();
        client.reset();
        while (machine.server.connections() != 0) {
            machine.loop.run_one_for(10ms);
        }
        CHECK_FALSE(machine.handler.held[0]->reply(Reply()));
    }

    TEST_CASE("a socket left over is replaced, one that is answered is not") {
        Machine machine;
        boost::asio::io_context other_loop{1};
        TestHandler other;
        Server second(Spawner(other_loop.get_executor(), [](const std::string&, const std::string&) {}), other,
                      {});
        CHECK(second.listen(machine.path()).error().code() == "daemon.already_running");
        const auto left_over = (machine.tree.path() / "old").string();
        {
            UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
            sockaddr_un address = {};
            address.sun_family = AF_UNIX;
            left_over.copy(address.sun_path, sizeof address.sun_path - 1);
            REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        }
        CHECK(second.listen(left_over));
        second.stop();
        CHECK(::access(left_over.c_str(), F_OK) != 0);
        machine.tree.file("plain", "x");
        CHECK(second.listen((machine.tree.path() / "plain").string()).error().code() == "daemon.listen_failed");
        CHECK(second.listen(std::string(200, 'x')).error().code() == "daemon.listen_failed");
    }
}
