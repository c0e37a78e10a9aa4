// SPDX-License-Identifier: Apache-2.0
// Clients over TLS on the loopback, with certificates of our own making.
#include "daemon/tls/tls.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

#include "daemon/client/client.hpp"
#include "daemon/gate/listener.hpp"
#include "daemon/tls/keys.hpp"
#include "tests/daemon/server/served.hpp"

using namespace stillboot;
using namespace std::chrono_literals;
using protocol::Role;
using Tcp = boost::asio::ip::tcp;

namespace {

constexpr tls::Lifetime one_day{24};
constexpr std::string_view echo_method = "x.Echo";

boost::asio::awaitable<void> connect(client::Client* client, client::Address address,
                                     std::optional<Result<void>>* out) {
    auto result = co_await client->connect(std::move(address));
    out->emplace(std::move(result));
}

boost::asio::awaitable<void> echo(client::Client* client, std::size_t size,
                                  std::optional<Result<boost::json::object>>* out) {
    boost::json::object parameters;
    parameters["text"] = std::string(size, 'x');
    auto result = co_await client->call(std::string(echo_method), std::move(parameters), 10s);
    out->emplace(std::move(result));
}

class Machine {
public:
    explicit Machine(gate::Limits at_the_gate = {}, server::Limits limits = {})
        : spawner(loop.get_executor(), [this](const std::string&, const std::string& what) { fault = what; }),
          server(spawner, handler, limits),
          listener(spawner, server_context(), at_the_gate, gate_events()),
          client(loop.get_executor()) {
        const auto listening = listener.listen("127.0.0.1:0");
        REQUIRE(listening);
        port = static_cast<std::uint16_t>(std::stoi(listening->substr(listening->rfind(':') + 1)));
    }
    ~Machine() {
        client.close();
        listener.stop();
        server.stop();
        loop.run_for(10s);  // until all has ended
        CHECK(fault.empty());
    }

    [[nodiscard]] std::string path(const std::string& name) const { return (tree.path() / name).string(); }
    tls::ContextPtr server_context() {
        write("server", tls::make_server(*authority, {"localhost", "127.0.0.1"}, one_day));
        tree.file("ca.pem", authority->certificate);
        const auto context =
            tls::load(tls::Side::server, {path("server.pem"), path("server.key"), path("ca.pem")});
        REQUIRE(context);
        return *context;
    }
    gate::Events gate_events() {
        gate::Events events;
        events.on_client = [this](gate::Client let_in) {
            server.admit(std::move(let_in.socket),
                         server::Peer(std::move(let_in.name), std::move(let_in.address), let_in.role));
        };
        events.on_refused = [this](const std::string& address, const Error& reason) {
            refused.push_back(address + ": " + reason.sentence());
        };
        return events;
    }
    void write(const std::string& name, const Result<tls::Issued>& issued) {
        REQUIRE(issued);
        tree.file(name + ".pem", issued->certificate);
        tree.file(name + ".key", issued->key);
    }
    [[nodiscard]] client::Address address(const std::string& certificate = "client") const {
        client::Address made;
        made.kind = client::Address::Kind::tls;
        made.host = "127.0.0.1";
        made.port = port;
        made.files = {path(certificate + ".pem"), path(certificate + ".key"), path("ca.pem")};
        return made;
    }
    template <class Done>
    void run_until(Done done) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!done() && std::chrono::steady_clock::now() < end) {
            loop.run_one_for(10ms);
        }
        REQUIRE(done());
    }
    Result<void> connect_to(const client::Address& to) {
        std::optional<Result<void>> out;
        boost::asio::co_spawn(loop, connect(&client, to, &out), [](const std::exception_ptr&) {});
        run_until([&] { return out.has_value(); });
        return std::move(*out);
    }
    Result<boost::json::object> call(std::size_t size) {
        std::optional<Result<boost::json::object>> out;
        boost::asio::co_spawn(loop, echo(&client, size, &out), [](const std::exception_ptr&) {});
        run_until([&] { return out.has_value(); });
        return std::move(*out);
    }
    // The end of a bare TCP client's connection.
    void wait_for_end(Tcp::socket& socket) {
        bool ended = false;
        std::array<char, 64> chunk;
        const std::function<void()> read = [&] {
            socket.async_read_some(boost::asio::buffer(chunk),
                                   [&](boost::system::error_code failure, std::size_t) {
                                       ended = failure.failed();
                                       if (!ended) {
                                           read();
                                       }
                                   });
        };
        read();
        run_until([&] { return ended; });
    }
    Tcp::socket bare_client(const char* from = "127.0.0.1") {
        Tcp::socket socket(loop);
        socket.open(Tcp::v4());
        socket.bind({boost::asio::ip::make_address(from), 0});
        socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
        return socket;
    }

    boost::asio::io_context loop{1};
    test::TemporaryTree tree;
    Result<tls::Issued> authority = tls::make_authority("Stillboot of here", one_day);
    test::TestHandler handler;
    std::vector<std::string> refused;
    std::string fault;
    Spawner spawner;
    server::Server server;
    gate::Listener listener;
    client::Client client;
    std::uint16_t port = 0;
};

}  // namespace

TEST_SUITE("tls") {
    TEST_CASE("a client with a certificate of this machine is known by its name and role") {
        Machine machine;
        machine.write("client", tls::make_client(*machine.authority, "anna", Role::boot, one_day));
        REQUIRE(machine.connect_to(machine.address()));
        const auto answer = machine.call(100'000);
        REQUIRE(answer);
        CHECK(answer->at("text").as_string().size() == 100'000);
        const server::Peer& peer = machine.handler.peers.at(0);
        CHECK(peer.name == "anna");
        CHECK(peer.role == Role::boot);
        CHECK_FALSE(peer.is_root());
        CHECK(peer.who().sentence().rfind("anna at 127.0.0.1:", 0) == 0);
        CHECK(peer.key() == "certificate anna");
        CHECK(machine.refused.empty());
        CHECK(machine.server.connections() == 1);
    }

    TEST_CASE("whoever has the wrong certificate is refused, told why, and logged with the address") {
        struct Row {
            const char* name;
            Result<tls::Issued> (*make)(const tls::Issued& authority);
            const char* told;
            const char* logged;
        };
        const Row rows[] = {
            {"another authority",
             [](const tls::Issued&) {
                 return tls::make_client(*tls::make_authority("Stillboot of here", one_day), "anna", Role::all,
                                         one_day);
             },
             "127.0.0.1 cannot be reached by TLS: it ", "127.0.0.1: its certificate: "},
            {"an authority of its own name alone",
             [](const tls::Issued&) { return tls::make_authority("anna", one_day); },
             "127.0.0.1 cannot be reached by TLS: it ", "127.0.0.1: its certificate: "},
            {"expired",
             [](const tls::Issued& by) { return tls::make_client(by, "anna", Role::all, tls::Lifetime(-1)); },
             "127.0.0.1 cannot be reached by TLS: it says that our certificate has expired",
             "127.0.0.1: its certificate: certificate has expired"},
            {"made for a server", [](const tls::Issued& by) { return tls::make_server(by, {"anna"}, one_day); },
             "127.0.0.1 cannot be reached by TLS: it does not accept our certificate",
             "127.0.0.1: its certificate: unsuitable certificate purpose"},
        };
        for (const Row& row : rows) {
            CAPTURE(std::string(row.name));
            Machine machine;
            machine.write("client", row.make(*machine.authority));
            const auto connected = machine.connect_to(machine.address());
            REQUIRE_FALSE(connected);
            CHECK(connected.error().sentence().rfind(row.told, 0) == 0);
            CHECK(protocol::classify(connected.error()) == protocol::Failure::unreachable);
            REQUIRE(machine.refused.size() == 1);
            CHECK(machine.refused[0].rfind(row.logged, 0) == 0);
            CHECK(machine.handler.peers.empty());
            CHECK(machine.server.connections() == 0);
        }
    }

    TEST_CASE("a machine that is not who it should be gets nothing") {
        Machine machine;
        machine.write("client", tls::make_client(*machine.authority, "anna", Role::boot, one_day));
        auto elsewhere = machine.address();
        machine.tree.file("other-ca.pem", tls::make_authority("Stillboot of here", one_day)->certificate);
        elsewhere.files.authority = machine.path("other-ca.pem");
        CHECK(machine.connect_to(elsewhere).error().sentence().rfind(
                  "127.0.0.1 cannot be reached by TLS: its certificate: ", 0) == 0);
        auto other_name = machine.address();
        other_name.host = "127.0.0.2";
        CHECK_FALSE(machine.connect_to(other_name));
        CHECK(machine.handler.peers.empty());
    }

    TEST_CASE("one who connects and says nothing, or no TLS, is cut off and logged") {
        gate::Limits limits;
        limits.handshake_deadline = 2s;
        Machine machine(limits);
        auto silent = machine.bare_client();
        machine.wait_for_end(silent);
        auto other = machine.bare_client();
        boost::asio::write(other, boost::asio::buffer(std::string("GET / HTTP/1.1\r\n\r\n")));
        machine.wait_for_end(other);
        REQUIRE(machine.refused.size() == 2);
        CHECK(machine.refused[0] == "127.0.0.1: the TLS handshake took longer than 2 s");
        CHECK(machine.refused[1] == "127.0.0.1: it does not speak TLS");
        CHECK(machine.server.connections() == 0);
    }

    TEST_CASE("past the number of handshakes a new one is turned away, and who is in is not touched") {
        gate::Limits limits;
        limits.max_handshakes = 2;
        Machine machine(limits);
        machine.write("client", tls::make_client(*machine.authority, "anna", Role::boot, one_day));
        REQUIRE(machine.connect_to(machine.address()));
        const auto one = machine.bare_client();
        const auto two = machine.bare_client();
        auto three = machine.bare_client();
        machine.wait_for_end(three);
        CHECK(machine.refused ==
              std::vector<std::string>{"127.0.0.1: too many others are in the middle of their handshake"});
        CHECK(machine.call(1));
    }

    TEST_CASE("one address has a share of the handshakes, and others have theirs") {
        Machine machine;
        machine.write("client", tls::make_client(*machine.authority, "anna", Role::boot, one_day));
        std::vector<boost::asio::ip::tcp::socket> silent;
        for (int i = 0; i < 4; ++i) {
            silent.push_back(machine.bare_client("127.0.0.2"));
        }
        auto fifth = machine.bare_client("127.0.0.2");
        machine.wait_for_end(fifth);
        CHECK(machine.refused ==
              std::vector<std::string>{
                  "127.0.0.2: too many others of its address are in the middle of their handshake"});
        CHECK(machine.connect_to(machine.address()));
    }

    TEST_CASE("past the number of clients a new one is turned away, until another goes") {
        gate::Limits limits;
        limits.max_clients = 1;
        Machine machine(limits);
        machine.write("client", tls::make_client(*machine.authority, "anna", Role::boot, one_day));
        REQUIRE(machine.connect_to(machine.address()));
        client::Client second(machine.loop.get_executor());
        std::optional<Result<void>> out;
        boost::asio::co_spawn(machine.loop, connect(&second, machine.address(), &out),
                              [](const std::exception_ptr&) {});
        machine.run_until([&] { return out.has_value(); });
        CHECK_FALSE(*out);
        CHECK(machine.refused == std::vector<std::string>{"127.0.0.1: too many clients over TLS are connected"});
        machine.client.close();
        machine.run_until([&] { return machine.server.connections() == 0; });
        CHECK(machine.connect_to(machine.address()));
    }

    TEST_CASE("a message past the limit ends a connection over TLS, too") {
        server::Limits limits;
        limits.max_call_bytes = 10'000;
        Machine machine({}, limits);
        machine.write("client", tls::make_client(*machine.authority, "anna", Role::boot, one_day));
        REQUIRE(machine.connect_to(machine.address()));
        CHECK_FALSE(machine.call(20'000));
        machine.run_until([&] { return machine.server.connections() == 0; });
    }

    TEST_CASE("files that are not there or not what they should be are named") {
        Machine machine;
        CHECK(machine.connect_to(machine.address("none"))
                  .error()
                  .sentence()
                  .rfind(machine.path("none.pem") + " cannot be used for TLS: ", 0) == 0);
        machine.write("client", tls::make_client(*machine.authority, "anna", Role::boot, one_day));
        machine.tree.file("client.key", "nonsense");
        CHECK(machine.connect_to(machine.address()).error().message().param("path") == machine.path("client.key"));
    }

    TEST_CASE("an address that is taken, or is none, is said") {
        Machine machine;
        for (const std::string& address :
             {"127.0.0.1:" + std::to_string(machine.port), std::string("localhost:1"), std::string("127.0.0.1"),
              std::string("127.0.0.1:x"), std::string("127.0.0.1:65536")}) {
            CAPTURE(address);
            CHECK(machine.listener.listen(address).error().code() == "daemon.tls_not_listening");
        }
    }
}
