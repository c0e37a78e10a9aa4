// SPDX-License-Identifier: Apache-2.0
// stillboot-tls: takes clients over TLS for stillbootd, which hears of none before its certificate counts. Its
// order comes over descriptor 3. No handshake of a stranger runs in the daemon, and what runs here can open no
// file, has no capability but to listen, and dies with the daemon.
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>

#include "daemon/gate/listener.hpp"
#include "daemon/gate/wire.hpp"
#include "daemon/probe/helper.hpp"
#include "daemon/probe/sandbox.hpp"
#include "daemon/probe/wire.hpp"

namespace stillboot::gate {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds listen_again{5};

void say(const Report& report, const UniqueFd& fd = UniqueFd()) {
    // A daemon that has gone is seen by the end of the socket.
    static_cast<void>(probe::send_packet(probe::helper_socket, to_text(report), fd.get()));
}

Report report_of_error(Report::What what, const std::string& address, std::string reason) {
    Report report;
    report.what = what;
    report.address = address;
    report.reason = std::move(reason);
    return report;
}

// A directory that has been removed already: it is empty, and nothing can be made in it.
UniqueFd empty_directory() {
    std::string path = "/run/stillboot-tls.XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
        return {};
    }
    UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ::rmdir(path.c_str());
    return directory;
}

// The keys are read by now.
Result<void> confine() {
    probe::Limits limits;
    limits.memory_bytes = std::uint64_t{256} * 1024 * 1024;
    limits.cpu_seconds = RLIM_INFINITY;
    limits.file_bytes = 0;
    limits.open_files = 512;
    if (auto limited = probe::limit_process(limits); !limited) {
        return limited;
    }
    const bool root = ::geteuid() == 0;
    if (root) {
        if (auto entered = probe::enter_root(empty_directory().get()); !entered) {
            return entered;
        }
    }
    return probe::keep_capabilities(root ? probe::capability_bit(CAP_NET_BIND_SERVICE) : 0);
}

// An address may come only with its network: told once, and tried until it is there.
asio::awaitable<void> listen_on(Listener& listener, std::string address, asio::any_io_executor executor) {
    bool told = false;
    for (;;) {
        const auto listening = listener.listen(address);
        if (listening) {
            Report report;
            report.address = *listening;
            say(report);
            co_return;
        }
        if (!std::exchange(told, true)) {
            say(report_of_error(Report::What::not_listening, address,
                                std::string(listening.error().message().param("reason"))));
        }
        asio::steady_timer timer(executor, listen_again);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

Events events() {
    Events events;
    events.on_client = [](const Client& client) {
        Report report;
        report.what = Report::What::client;
        report.address = client.address;
        report.name = client.name;
        report.role = client.role;
        say(report, client.socket);
    };
    events.on_refused = [](const std::string& address, const Error& reason) {
        say(report_of_error(Report::What::refused, address, reason.sentence()));
    };
    return events;
}

void serve(const Order& order, const tls::ContextPtr& context) {
    asio::io_context loop(1);
    const Spawner spawner(loop.get_executor(), [](const std::string&, const std::string&) { ::_exit(1); });
    Listener listener(spawner, context, Limits(), events());
    for (const std::string& address : order.addresses) {
        spawner.spawn("listening", listen_on(listener, address, loop.get_executor()));
    }
    // Nothing more comes from the daemon but its end.
    asio::posix::stream_descriptor daemon(loop, probe::helper_socket);
    daemon.async_wait(asio::posix::stream_descriptor::wait_read, [](const auto&) { ::_exit(0); });
    loop.run();
}

int run() {
    ::signal(SIGPIPE, SIG_IGN);
    const auto packet = probe::receive_packet(probe::helper_socket);
    if (!packet || !*packet) {
        return 1;
    }
    const auto order = order_of((*packet)->text);
    if (!order) {
        return 1;
    }
    const auto context = tls::load(tls::Side::server, order->files);
    Result<void> confined = confine();
    if (context && confined) {
        serve(*order, *context);
        return 1;
    }
    const std::string reason = context ? confined.error().sentence() : context.error().sentence();
    for (const std::string& address : order->addresses) {
        say(report_of_error(Report::What::not_listening, address, reason));
    }
    return 0;
}

}  // namespace
}  // namespace stillboot::gate

int main() {
    ::_exit(stillboot::gate::run());
}
