// SPDX-License-Identifier: Apache-2.0
// Any bytes as what clients and a handler do to the server over socket pairs: whole calls, halves, nonsense, giant
// messages, replies at every wrong moment, clients that do not read and clients that go. Each call is answered
// once and in its order, what waits stays within its bounds, and in the end nothing is left.
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/server/server.hpp"

namespace {

using namespace stillboot;
using protocol::Call;
using protocol::Reply;

constexpr std::size_t max_steps = 256;
constexpr std::size_t filler_bytes = 3000;
constexpr int send_buffer_bytes = 4608;  // the least that Linux gives: replies soon wait

void insist(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

// Without the letter by which answers are known again, and without another way to write it.
std::string no_answerable(std::string_view bytes) {
    std::string text(bytes);
    std::replace(text.begin(), text.end(), 'n', 'N');
    std::replace(text.begin(), text.end(), '\\', '/');
    return text;
}

server::Limits small_limits() {
    server::Limits limits;
    limits.max_call_bytes = 512;
    limits.max_queued_bytes = 8192;
    limits.max_unread_bytes = 32768;
    limits.max_connections = 3;
    return limits;
}

// Keeps every replier, for replies that come late, twice, or after the end; one for each call does come.
class Keeper final : public server::Handler {
public:
    void on_call(const Call& call, const server::Peer&, std::shared_ptr<server::Replier> replier) override {
        held.push_back({call.parameters, std::move(replier)});
    }
    void on_trouble(const std::string&, const Message& what) override { insist(!what.sentence().empty()); }

    struct Held {
        boost::json::object parameters;
        std::shared_ptr<server::Replier> replier;
    };
    std::vector<Held> held;
};

/// One end of a socket pair whose other end the server has.
class Client {
public:
    explicit Client(server::Server& server) {
        int ends[2];
        insist(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        ours_ = UniqueFd(ends[0]);
        UniqueFd theirs(ends[1]);
        ::setsockopt(theirs.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
        server.admit(std::move(theirs), server::Peer(1000, 1));
    }
    void send(std::string_view bytes) {
        if (ours_) {
            static_cast<void>(::send(ours_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
        }
    }
    // A call whose answer is known again.
    void call(std::string_view method, bool more, bool oneway) {
        Call call;
        call.method = method;
        call.more = more;
        call.oneway = oneway;
        call.parameters["n"] = ++calls_;
        send(protocol::encode(call));
    }
    void read();
    void hang_up() { ours_.reset(); }

private:
    void see(const Reply& reply);

    UniqueFd ours_;
    protocol::FrameReader reader_{std::size_t{64} * 1024};
    std::int64_t calls_ = 0;
    std::int64_t answered_ = 0;  // the last call that is known to be over
    bool cut_off_ = false;
};

void Client::read() {
    std::string bytes(std::size_t{64} * 1024, '\0');
    const ssize_t count = ours_ ? ::recv(ours_.get(), bytes.data(), bytes.size(), 0) : 0;
    if (count <= 0 || !reader_.feed(std::string_view(bytes).substr(0, static_cast<std::size_t>(count)))) {
        return;
    }
    while (const auto frame = reader_.next()) {
        const auto reply = protocol::decode_reply(*frame);
        insist(reply.has_value());
        see(*reply);
    }
}

void Client::see(const Reply& reply) {
    insist(!cut_off_);  // the last words are the last
    cut_off_ = reply.error == "io.stillboot.TooSlow";
    const auto* const number = reply.parameters.if_contains("n");
    if (number == nullptr) {
        return;
    }
    const std::int64_t of = number->as_int64();
    insist(of > answered_ && of <= calls_);
    answered_ = reply.continues ? of - 1 : of;
}

class Story {
public:
    void tell(char event, std::uint8_t with, std::string_view rest);
    void end();

private:
    void reply(std::uint8_t to, bool continues, bool large);
    void run() {
        loop_.restart();
        loop_.poll();
    }

    boost::asio::io_context loop_{1};
    Keeper keeper_;
    server::Server server_{Spawner(loop_.get_executor(), [](const auto&, const auto&) { insist(false); }), keeper_,
                           small_limits()};
    std::vector<Client> clients_;
};

void Story::reply(std::uint8_t to, bool continues, bool large) {
    if (keeper_.held.empty()) {
        return;
    }
    const auto& held = keeper_.held[keeper_.held.size() - 1 - to % keeper_.held.size()];
    Reply reply;
    reply.parameters = held.parameters;
    reply.continues = continues;
    if (large) {
        reply.parameters["filler"] = std::string(filler_bytes, 'x');
    }
    insist(!held.replier->reply(reply) || held.replier->open());
}

void Story::tell(char event, std::uint8_t with, std::string_view rest) {
    if (clients_.empty() || event == 'N') {
        clients_.emplace_back(server_);
    }
    Client& client = clients_[with % clients_.size()];
    switch (event) {
        case 'c': client.call("x.Call", false, false); break;
        case 'm': client.call("x.Call", true, false); break;
        case 'o': client.call("x.Call", false, true); break;
        case 'i': client.call("org.varlink.service.GetInfo", false, false); break;
        case 'b': client.send(no_answerable(rest.substr(0, with))); break;
        case 'z': client.send(std::string_view("\0", 1)); break;
        case 'g': client.send(std::string(1000, ' ')); break;
        case 'r': reply(with, false, false); break;
        case 'R': reply(with, false, true); break;
        case 'k': reply(with, true, false); break;
        case 'K': reply(with, true, true); break;
        case 'd': client.read(); break;
        case 'h': client.hang_up(); break;
        default: break;
    }
    run();
    insist(server_.connections() <= small_limits().max_connections);
    for (const protocol::Client& each : server_.clients()) {
        // One reply may be longer than the queue, and the last words come on top.
        insist(each.queued_bytes <= small_limits().max_queued_bytes + 2 * filler_bytes);
    }
}

void Story::end() {
    for (Client& client : clients_) {
        client.read();
        client.hang_up();
    }
    run();
    for (std::size_t each = 0; each < keeper_.held.size(); ++each) {  // a reply lets the next call in
        keeper_.held[each].replier->reply(Reply());
        run();
    }
    insist(server_.connections() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Story story;
    for (std::size_t at = 0; at + 1 < size && at < 2 * max_steps; at += 2) {
        story.tell(text[at], data[at + 1], text.substr(at + 2));
    }
    story.end();
    return 0;
}
