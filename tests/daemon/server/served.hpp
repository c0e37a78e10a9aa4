// SPDX-License-Identifier: Apache-2.0
// A server with a handler that answers at once, holds, or floods, and raw clients of it.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "daemon/server/server.hpp"
#include "tests/temporary_tree.hpp"

namespace stillboot::test {

// Answers x.Echo with its parameters at once; keeps the replier of x.Hold; floods on x.Flood.
class TestHandler final : public server::Handler {
public:
    void on_call(const protocol::Call& call, const server::Peer& peer,
                 std::shared_ptr<server::Replier> replier) override {
        peers.push_back(peer);
        protocol::Reply reply;
        reply.parameters = call.parameters;
        if (call.method == "x.Hold") {
            held.push_back(std::move(replier));
            return;
        }
        if (call.method == "x.Lock" || call.method == "x.Unlock") {
            replier->set_locked(call.method == "x.Lock");
        }
        if (call.method == "x.Flood") {
            reply.continues = true;
            reply.parameters["filler"] = std::string(10'000, 'x');
            while (replier->reply(reply)) {
                ++flooded;
            }
            return;
        }
        replier->reply(reply);
    }

    void on_trouble(const std::string&, const Message& what) override { troubles.push_back(what.sentence()); }

    std::vector<std::string> troubles;
    std::vector<server::Peer> peers;
    std::vector<std::shared_ptr<server::Replier>> held;
    int flooded = 0;
};

// A server on a loop that is run as long as a test needs, in the test's own thread.
class Machine {
public:
    explicit Machine(server::Limits limits = {})
        : server(
              Spawner(loop.get_executor(), [this](const std::string&, const std::string& what) { fault = what; }),
              handler, limits) {
        REQUIRE(server.listen(path()));
    }
    ~Machine() {
        server.stop();
        loop.run_for(std::chrono::seconds(10));  // until all has ended
        CHECK(fault.empty());
    }

    [[nodiscard]] std::string path() const { return (tree.path() / "socket").string(); }

    [[nodiscard]] UniqueFd connect() const {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        return fd;
    }

    // The client's end of a connection that comes from elsewhere than the socket's file.
    [[nodiscard]] UniqueFd admit(const server::Peer& peer) {
        std::array<int, 2> ends = {-1, -1};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
        server.admit(UniqueFd(ends[1]), peer);
        return UniqueFd(ends[0]);
    }

    void send(const UniqueFd& client, std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count < 0 && errno != EAGAIN) {
                return;  // the server has hung up
            }
            bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
            loop.poll();
        }
    }

    // Runs the loop until the client has a whole frame or has been cut off; what came.
    std::string receive(const UniqueFd& client) {
        std::string got;
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (std::chrono::steady_clock::now() < end) {
            char byte = 0;
            const ssize_t count = ::recv(client.get(), &byte, 1, 0);
            if (count == 1 && byte == '\0') {
                return got;
            }
            if (count == 1) {
                got += byte;
            } else if (count == 0 || errno != EAGAIN) {
                return got + "<end>";
            } else {
                loop.run_one_for(std::chrono::milliseconds(10));
            }
        }
        return got + "<nothing>";
    }

    // Until a call is held by the handler.
    void wait_until_held() {
        while (handler.held.empty()) {
            loop.run_one_for(std::chrono::milliseconds(10));
        }
    }

    boost::asio::io_context loop{1};
    test::TemporaryTree tree;
    TestHandler handler;
    std::string fault;
    server::Server server;
};

inline std::string echo(int number) {
    protocol::Call call;
    call.method = "x.Echo";
    call.parameters["n"] = number;
    return protocol::encode(call);
}

inline std::string method(std::string_view name, bool more = false) {
    protocol::Call call;
    call.method = name;
    call.more = more;
    return protocol::encode(call);
}

}  // namespace stillboot::test
