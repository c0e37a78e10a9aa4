// SPDX-License-Identifier: Apache-2.0
// Starting the helper, listening to it, and starting it again.
#include "daemon/gate/gate.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "config/base/process.hpp"
#include "daemon/probe/wire.hpp"

namespace stillboot::gate {
namespace {

namespace asio = boost::asio;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds first_pause{1};
constexpr std::chrono::seconds longest_pause{60};
constexpr std::chrono::milliseconds end_deadline{1'000};
constexpr int packets_at_once = 32;  // strangers who come by the thousand must not hold up the others

}  // namespace

struct Gate::State : std::enable_shared_from_this<State> {
    State(Spawner spawn, server::Server& to, server::Handler& hears, Log& lines)
        : spawner(std::move(spawn)), server(to), handler(hears), log(lines), pause(spawner.executor()) {}

    asio::awaitable<void> keep_open();
    /// Until the helper's end. False where it has ended for good.
    asio::awaitable<bool> serve();
    [[nodiscard]] bool take_packets();
    void take(const Report& report, UniqueFd fd);
    std::optional<Error> reap();
    [[nodiscard]] bool ended_badly();
    void say_not_listening(const std::string& reason);

    Spawner spawner;
    server::Server& server;
    server::Handler& handler;
    Log& log;
    asio::steady_timer pause;
    Order order;
    probe::Helper helper;
    std::unique_ptr<asio::posix::stream_descriptor> readable;
    bool stopped = false;
    bool served = false;  // the helper that runs, or ran last, got as far as to listen
};

void Gate::State::say_not_listening(const std::string& reason) {
    for (const std::string& address : order.addresses) {
        log.error(Message("daemon.tls_not_listening", {{"address", address}, {"reason", reason}}));
    }
}

asio::awaitable<void> Gate::State::keep_open() {
    const auto self = shared_from_this();
    auto wait = first_pause;
    while (co_await serve()) {
        wait = served ? first_pause : std::min(2 * wait, longest_pause);
        pause.expires_after(wait);
        auto [woken] = co_await pause.async_wait(use_result);
        if (woken || stopped) {
            co_return;
        }
    }
}

asio::awaitable<bool> Gate::State::serve() {
    auto started = probe::start_helper(tls_program, order.addresses.front());
    if (!started) {
        say_not_listening(started.error().sentence());
        co_return false;
    }
    helper = std::move(*started);
    served = false;
    // A new socket has room for it; a helper that has gone already is found by its end.
    static_cast<void>(probe::send_packet(helper.socket.get(), to_text(order)));
    readable = std::make_unique<asio::posix::stream_descriptor>(spawner.executor(), helper.socket.release());
    bool goes_on = true;
    while (goes_on && !stopped) {
        auto [failure] = co_await readable->async_wait(asio::posix::stream_descriptor::wait_read, use_result);
        goes_on = !failure && take_packets();
    }
    readable.reset();  // a helper that is there still ends now
    co_return !stopped && ended_badly();
}

// What has come. False where the helper has gone, or says what it may not say.
bool Gate::State::take_packets() {
    for (int i = 0; i < packets_at_once; ++i) {
        auto packet = probe::receive_packet(readable->native_handle());
        if (!packet) {
            return packet.error().error_number() == EAGAIN;
        }
        if (!*packet) {
            return false;
        }
        const auto report = report_of((*packet)->text);
        if (!report) {
            return false;
        }
        take(*report, std::move((*packet)->fd));
    }
    return true;
}

void Gate::State::take(const Report& report, UniqueFd fd) {
    switch (report.what) {
        case Report::What::listens:
            served = true;
            return log.info(Message("daemon.tls_listens", {{"address", report.address}}));
        case Report::What::not_listening:
            return log.error(
                Message("daemon.tls_not_listening", {{"address", report.address}, {"reason", report.reason}}));
        case Report::What::refused:
            return handler.on_trouble(report.address, Message("daemon.peer_refused", {{"address", report.address},
                                                                                      {"reason", report.reason}}));
        case Report::What::client:
            if (fd && !report.address.empty()) {
                server.admit(std::move(fd), server::Peer(report.name, report.address, report.role));
            }
    }
}

std::optional<Error> Gate::State::reap() {
    if (!wait_for_exit(helper.pidfd.get(), end_deadline)) {
        probe::kill_helper(helper);
        static_cast<void>(wait_for_exit(helper.pidfd.get(), end_deadline));
    }
    auto crash = probe::reap_helper(helper, tls_program, order.addresses.front());
    helper = probe::Helper();
    return crash;
}

bool Gate::State::ended_badly() {
    const auto crash = reap();
    if (crash) {
        log.error(Message("daemon.gate_ended", {{"reason", crash->sentence()}}));
    }
    return crash.has_value();
}

Gate::Gate(Spawner spawner, server::Server& server, server::Handler& handler, Log& log)
    : state_(std::make_shared<State>(std::move(spawner), server, handler, log)) {}

Gate::~Gate() {
    stop();
}

void Gate::open(Order order) {
    if (order.addresses.empty()) {
        return;
    }
    state_->order = std::move(order);
    state_->spawner.spawn("keeping the gate", state_->keep_open());
}

void Gate::stop() {
    if (std::exchange(state_->stopped, true)) {
        return;
    }
    state_->pause.cancel();
    if (state_->readable && state_->readable->is_open()) {
        boost::system::error_code ignored;
        state_->readable->cancel(ignored);
    }
    if (state_->helper.pidfd) {
        probe::kill_helper(state_->helper);
        static_cast<void>(state_->reap());
    }
}

}  // namespace stillboot::gate
