// SPDX-License-Identifier: Apache-2.0
// Many clients of the daemon's own server and core, on a real socket, in a process of their own: what comes and
// goes reaches all of them in order and in time, one that does not read is cut off, and how many calls a second
// there are beside a plain Asio echo server.
//
// usage: events_bench [SECONDS]      for the events (15); a quarter of it for each row of the calls
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "tests/bench/synthetic_daemon.hpp"
#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::bench;
using std::chrono::milliseconds;

namespace {

constexpr int watchers = 500;
constexpr double limit_ms = 50;

/// A child that ends with this process.
pid_t in_child(const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::signal(SIGPIPE, SIG_IGN);
        work();
        ::_exit(0);
    }
    return child;
}

UniqueFd connect_to(const std::string& path, int flags) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    for (int attempt = 0; attempt < 1000; ++attempt) {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
            ::fcntl(fd.get(), F_SETFL, flags);
            return fd;
        }
        ::usleep(10'000);
    }
    give_up(path.c_str());
}

void send_all_of(const UniqueFd& fd, std::string_view bytes) {
    if (::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
        give_up("send");
    }
}

std::string call_of(std::string_view method, bool more = false) {
    protocol::Call call;
    call.method = method;
    call.more = more;
    return protocol::encode(call);
}

long memory_kb(pid_t process, const char* name) {
    const std::string path = "/proc/" + std::to_string(process) + "/status";
    long kb = 0;
    if (std::FILE* file = std::fopen(path.c_str(), "r")) {
        std::array<char, 256> line = {};
        while (std::fgets(line.data(), line.size(), file) != nullptr) {
            if (std::string_view(line.data()).starts_with(name)) {
                kb = std::atol(line.data() + std::string_view(name).size() + 1);
            }
        }
        std::fclose(file);
    }
    return kb;
}

/// A client that reads: what it keeps of a frame is its beginning, where the number stands.
struct Watcher {
    UniqueFd fd;
    std::string head;
    std::uint64_t last = max_seq;
    std::uint64_t events = 0;
    bool in_order = true;
};

class Watchers {
public:
    Watchers(const std::string& path, const Shared& shared)
        : shared_(shared), epoll_(::epoll_create1(EPOLL_CLOEXEC)), clients_(watchers) {
        for (auto& client : clients_) {
            client.fd = connect_to(path, O_NONBLOCK);
            epoll_event event = {};
            event.events = EPOLLIN;
            event.data.ptr = &client;
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd.get(), &event);
            send_all_of(client.fd, call_of(protocol::Watch::name, true));
        }
    }
    /// Reads until `end` says so.
    void read_until(const std::function<bool()>& end) {
        std::array<epoll_event, 64> events = {};
        while (!end()) {
            const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 20);
            for (int i = 0; i < count; ++i) {
                read(*static_cast<Watcher*>(events[static_cast<std::size_t>(i)].data.ptr));
            }
        }
    }
    [[nodiscard]] bool all_began() const {
        return std::all_of(clients_.begin(), clients_.end(), [](const auto& each) { return each.last < max_seq; });
    }
    [[nodiscard]] bool all_equal() const {
        return std::all_of(clients_.begin(), clients_.end(),
                           [&](const auto& each) { return each.last == clients_[0].last; });
    }
    [[nodiscard]] bool all_in_order() const {
        return std::all_of(clients_.begin(), clients_.end(), [](const auto& each) { return each.in_order; });
    }
    [[nodiscard]] std::uint64_t events() const { return clients_[0].events; }
    std::vector<double> latencies_ms;

private:
    void read(Watcher& client) {
        static std::array<char, 256 * 1024> chunk;
        const ssize_t count = ::recv(client.fd.get(), chunk.data(), chunk.size(), 0);
        if (count <= 0) {
            client.in_order = client.in_order && count < 0 && errno == EAGAIN;
            return;
        }
        std::string_view bytes(chunk.data(), static_cast<std::size_t>(count));
        while (!bytes.empty()) {
            const auto end = bytes.find('\0');
            const auto part = bytes.substr(0, end);
            client.head += part.substr(0, client.head.size() < 80 ? 80 - client.head.size() : 0);
            if (end == std::string_view::npos) {
                return;
            }
            take(client);
            client.head.clear();
            bytes.remove_prefix(end + 1);
        }
    }
    void take(Watcher& client) {
        const auto seq = seq_of(client.head);
        if (client.last < max_seq) {
            client.in_order = client.in_order && seq == client.last + 1;
            ++client.events;
            if (seq < max_seq && shared_.began[seq] != 0) {
                latencies_ms.push_back(static_cast<double>(now_ns() - shared_.began[seq]) / 1e6);
            }
        }
        client.last = seq;
    }

    const Shared& shared_;
    UniqueFd epoll_;
    std::vector<Watcher> clients_;
};

/// What a client that never read finds when it does at last: whether its last words are the reason.
bool was_cut_off(const UniqueFd& deaf) {
    std::string tail;
    std::array<char, 64 * 1024> chunk = {};
    timeval patience = {5, 0};
    ::setsockopt(deaf.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (;;) {
        const ssize_t count = ::recv(deaf.get(), chunk.data(), chunk.size(), 0);
        if (count <= 0) {
            return count == 0 && tail.find("io.stillboot.TooSlow") != std::string::npos;
        }
        tail.append(chunk.data(), static_cast<std::size_t>(count));
        tail.erase(0, tail.size() > 200 ? tail.size() - 200 : 0);
    }
}

double percentile(const std::vector<double>& sorted, double part) {
    return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

struct Figures {
    std::uint64_t changes;
    int seconds;
    long before_kb;
    long after_kb;
    long peak_kb;
};

void print_events(const Figures& figures, const std::vector<double>& latencies) {
    std::printf(
        "Events: %d clients watch %d options; %d devices a second come and as many go, %d options each\n\n",
        watchers, devices * options_each, devices_a_second, options_each);
    std::printf(
        "| changes | to each client, p50 | p99 (at most %.0f ms) | longest | daemon before | at the end | peak |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| %llu in %d s | %.1f ms | %.1f ms | %.1f ms | %.1f MB | %.1f MB | %.1f MB |\n\n",
        limit_ms, static_cast<unsigned long long>(figures.changes), figures.seconds, percentile(latencies, 0.5),
        percentile(latencies, 0.99), percentile(latencies, 1), static_cast<double>(figures.before_kb) / 1000,
        static_cast<double>(figures.after_kb) / 1000, static_cast<double>(figures.peak_kb) / 1000);
}

bool measure_events(const std::string& path, pid_t daemon, int orders, const Shared& shared, int seconds) {
    const UniqueFd deaf = connect_to(path, 0);
    const long before_kb = memory_kb(daemon, "VmRSS");
    send_all_of(deaf, call_of(protocol::Watch::name, true));
    Watchers all(path, shared);
    all.read_until([&] { return all.all_began(); });
    const auto end = SteadyClock::now() + std::chrono::seconds(seconds);
    if (::write(orders, "g", 1) != 1) {
        give_up("write");
    }
    all.read_until([&] { return SteadyClock::now() >= end; });
    const long after_kb = memory_kb(daemon, "VmRSS");
    if (::write(orders, "s", 1) != 1) {
        give_up("write");
    }
    const auto settled = SteadyClock::now() + milliseconds(500);
    all.read_until([&] { return SteadyClock::now() >= settled; });
    auto& latencies = all.latencies_ms;
    std::sort(latencies.begin(), latencies.end());
    const bool cut = was_cut_off(deaf);
    const bool whole = all.all_in_order() && all.all_equal();
    const double p99 = percentile(latencies, 0.99);
    print_events({all.events(), seconds, before_kb, after_kb, memory_kb(daemon, "VmHWM")}, latencies);
    std::printf("every client that reads got every change in order: %s\n", whole ? "yes" : "NO");
    std::printf("one that does not read was cut off and told why: %s\n\n", cut ? "yes" : "NO");
    return whole && cut && p99 <= limit_ms && all.events() > 0;
}

/// Each connection has one call under way at a time; whole replies a second.
double calls_a_second(const std::string& path, const std::string& call, int connections, milliseconds time) {
    const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    std::vector<UniqueFd> clients;
    for (int i = 0; i < connections; ++i) {
        clients.push_back(connect_to(path, O_NONBLOCK));
        epoll_event event = {};
        event.events = EPOLLIN;
        event.data.fd = clients.back().get();
        ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, clients.back().get(), &event);
    }
    for (const auto& client : clients) {
        send_all_of(client, call);
    }
    std::array<epoll_event, 64> events = {};
    std::array<char, 64 * 1024> chunk = {};
    long done = 0;
    const auto began = SteadyClock::now();
    while (SteadyClock::now() - began < time) {
        const int count = ::epoll_wait(epoll.get(), events.data(), events.size(), 100);
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), 0);
            if (got > 0 && chunk[static_cast<std::size_t>(got - 1)] == '\0') {
                ++done;
                if (::send(fd, call.data(), call.size(), MSG_NOSIGNAL) < 0) {
                    give_up("send");
                }
            } else if (got == 0) {
                give_up("the server hung up");
            }
        }
    }
    return static_cast<double>(done) / std::chrono::duration<double>(SteadyClock::now() - began).count();
}

bool measure_calls(const std::string& path, const std::string& echo_path, milliseconds time) {
    bool met = true;
    std::printf(
        "Calls a second, one under way on each connection\n\n"
        "| call | connections | stillbootd | echo server | part of it (at least 50 %% for the smallest) |\n"
        "| --- | --- | --- | --- | --- |\n");
    for (const std::string_view method :
         {std::string_view("org.varlink.service.GetInfo"), protocol::GetState::name}) {
        for (const int connections : {1, 100}) {
            const auto call = call_of(method);
            const double echoes = calls_a_second(echo_path, call, connections, time);
            const double ours = calls_a_second(path, call, connections, time);
            std::printf("| %s | %d | %.0f | %.0f | %.0f %% |\n", std::string(method).c_str(), connections, ours,
                        echoes, 100 * ours / echoes);
            met = met && (method == protocol::GetState::name || ours * 2 >= echoes);
        }
    }
    return met;
}

}  // namespace

int main(int argc, char** argv) {
    const int seconds = argc > 1 ? std::max(std::atoi(argv[1]), 1) : 15;
    rlimit descriptors = {};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    const test::TemporaryTree tree;
    const std::string path = (tree.path() / "socket").string();
    const std::string echo_path = (tree.path() / "echo").string();
    auto* shared = static_cast<Shared*>(
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    std::array<int, 2> orders = {};
    if (shared == MAP_FAILED || ::pipe(orders.data()) != 0) {
        give_up("mmap, pipe");
    }
    const pid_t daemon = in_child([&] { SyntheticDaemon(path, *shared).run(orders[0]); });
    const pid_t echo_server = in_child([&] { run_echo(echo_path); });
    const bool in_time = measure_events(path, daemon, orders[1], *shared, seconds);
    const bool quick = measure_calls(path, echo_path, milliseconds(1000 * seconds / 4));
    for (const pid_t child : {daemon, echo_server}) {
        ::kill(child, SIGTERM);
        ::waitpid(child, nullptr, 0);
    }
    std::printf("\n%s\n", in_time && quick ? "Within the limits." : "NOT within the limits.");
    return in_time && quick ? 0 : 1;
}
