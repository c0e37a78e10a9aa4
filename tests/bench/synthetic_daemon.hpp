// SPDX-License-Identifier: Apache-2.0
// The other side of events_bench: the daemon's server and core fed by devices that are made up, and a plain Asio
// echo server. Each runs in a process of its own.
#pragma once

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/main/core.hpp"

namespace stillboot::bench {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

constexpr int devices = 200;
constexpr int options_each = 10;
constexpr int devices_a_second = 20;
constexpr std::size_t max_seq = 100'000;

/// Shared with the daemon's process: when each change began to happen, in nanoseconds of the monotonic clock.
struct Shared {
    std::array<std::int64_t, max_seq> began;
};

inline std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now().time_since_epoch()).count();
}

[[noreturn]] inline void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

inline std::uint64_t seq_of(std::string_view frame) {
    constexpr std::string_view name = "\"seq\":";
    const auto at = frame.find(name);
    return at == std::string_view::npos ? max_seq : std::strtoull(frame.data() + at + name.size(), nullptr, 10);
}

/// The first watcher, inside the daemon: it learns the number of each change while it is made.
class Notary final : public server::Replier {
public:
    explicit Notary(Shared& shared) : shared_(shared) {}
    bool reply(const protocol::Reply&) override { return true; }
    bool reply_frame(std::shared_ptr<const std::string> frame, bool) override {
        const auto seq = seq_of(*frame);
        if (seq < max_seq) {
            shared_.began[seq] = began;
        }
        return true;
    }
    [[nodiscard]] bool open() const override { return true; }
    [[nodiscard]] bool heard() const override { return true; }
    void set_locked(bool) override {}

    std::int64_t began = 0;

private:
    Shared& shared_;
};

class NoBooter final : public handover::Booter {
public:
    void start(handover::Request, handover::BootEvents) override {}
    void cancel() override {}
    void plan(handover::Request, std::function<void(Result<std::vector<std::string>>)>) override {}
    void quiesce_plan(std::function<void(const Result<protocol::QuiescePlan>&)> done) override {
        done(protocol::QuiescePlan());
    }
    void choose(handover::ChosenFor, std::optional<handover::Choice>,
                std::function<void(const Result<handover::Choices>&)>) override {}
    void keep_setting(const std::string&, std::optional<std::string>,
                      std::function<void(const Result<std::vector<SettingText>>&)>) override {}
    [[nodiscard]] bool busy() const override { return false; }
};

inline BootOption option(const std::string& device, int number) {
    BootOption made;
    made.id = device + "/bls/6.1.0-" + std::to_string(number);
    made.title = "Debian GNU/Linux, with Linux 6.1.0-" + std::to_string(number) + "-amd64";
    made.kernel.path = "/boot/vmlinuz-6.1.0-" + std::to_string(number) + "-amd64";
    made.initrds = {{"/boot/initrd.img-6.1.0-" + std::to_string(number) + "-amd64", {}, "", ""}};
    made.args = "root=UUID=0e1f0e44-3b8c-4d0a-9c5e-1f1f9d6e7a10 ro quiet console=tty0 console=ttyS0,115200";
    made.version = "6.1.0-" + std::to_string(number);
    made.sort_key = "debian";
    made.source = {"bls", "/loader/entries/debian-" + std::to_string(number) + ".conf", 1};
    return made;
}

inline std::string name_of(int device) {
    return "pci-0000:00:1f.2-ata-" + std::to_string(device);
}

/// stillbootd without what finds devices: this comes and goes instead.
class SyntheticDaemon {
public:
    SyntheticDaemon(const std::string& socket, Shared& shared)
        : notary_(std::make_shared<Notary>(shared)),
          core_(loop_.get_executor(), registry_, policy_, booter_, log_, hooks(), settings_, times_),
          server_(Spawner(loop_.get_executor(),
                          [](const std::string&, const std::string& what) { give_up(what.c_str()); }),
                  core_, server::Limits()),
          timer_(loop_) {
        for (int i = 0; i < devices; ++i) {
            come(i);
        }
        core_.on_registry_change();
        core_.on_settled(true);
        protocol::Call watch;
        watch.method = protocol::Watch::name;
        watch.more = true;
        core_.on_call(watch, server::Peer(), notary_);
        if (!server_.listen(socket)) {
            give_up(socket.c_str());
        }
    }
    /// Until the parent is gone or says so. Each byte on the pipe starts or stops the coming and going.
    void run(int orders) {
        asio::posix::stream_descriptor pipe(loop_, orders);
        listen(pipe);
        loop_.run();
    }

private:
    CoreHooks hooks() {
        CoreHooks made;
        made.rescan = [](const auto&) { return true; };
        made.why_no_restart = [](bool) { return std::optional<Message>(); };
        made.restart = [](bool) {};
        made.system = [] { return protocol::System(); };
        made.clients = [this] { return server_.clients(); };
        return made;
    }
    void listen(asio::posix::stream_descriptor& pipe) {
        pipe.async_read_some(asio::buffer(&order_, 1),
                             [this, &pipe](boost::system::error_code failure, std::size_t) {
                                 if (failure) {
                                     return loop_.stop();
                                 }
                                 going_ = order_ == 'g';
                                 if (going_) {
                                     next_ = SteadyClock::now();
                                     wait();
                                 }
                                 listen(pipe);
                             });
    }
    void wait() {
        timer_.expires_at(next_);
        timer_.async_wait([this](boost::system::error_code failure) {
            if (!failure && going_) {
                one_goes_one_comes();
                next_ += std::chrono::microseconds(1'000'000 / devices_a_second);
                wait();
            }
        });
    }
    void come(int number) {
        registry::DeviceRecord record;
        record.identity.id = name_of(number);
        record.identity.node = "/dev/sd" + std::to_string(number);
        record.title = "A disk, part " + std::to_string(number);
        registry_.put_device(record);
        ScanResult result;
        std::vector<BootOption> made;
        for (int i = 0; i < options_each; ++i) {
            made.push_back(option(name_of(number), i));
        }
        result.finding = std::move(made);
        registry_.set_result(name_of(number), std::move(result));
    }
    // Two changes: the device that went the last time is back, and another one goes.
    void one_goes_one_comes() {
        if (gone_ >= 0) {
            notary_->began = now_ns();
            come(gone_);
            core_.on_registry_change();
        }
        gone_ = (gone_ + 1) % devices;
        notary_->began = now_ns();
        registry_.remove_device(name_of(gone_));
        core_.on_registry_change();
    }

    asio::io_context loop_{1};
    registry::Registry registry_{{}};
    policy::Policy policy_{std::nullopt};
    SettingsKeeper settings_{{}};
    NoBooter booter_;
    Log log_{Log::Sink::none, LogLevel::info};
    std::shared_ptr<Notary> notary_;
    StageTimes times_{SteadyClock::now(), std::chrono::milliseconds(0)};
    Core core_;
    server::Server server_;
    asio::steady_timer timer_;
    SteadyClock::time_point next_;
    char order_ = 0;
    bool going_ = false;
    int gone_ = -1;
};

inline void end_echoes(const std::exception_ptr& failure) {
    if (failure) {
        give_up("the echo server");
    }
}

inline asio::awaitable<void> echo(asio::local::stream_protocol::socket socket) {
    constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
    std::array<char, 4096> chunk;
    for (;;) {
        auto [failure, count] = co_await socket.async_read_some(asio::buffer(chunk), use_result);
        if (failure) {
            co_return;
        }
        auto [failed, written] = co_await asio::async_write(socket, asio::buffer(chunk.data(), count), use_result);
        if (failed) {
            co_return;
        }
    }
}

inline asio::awaitable<void> accept_echoes(asio::local::stream_protocol::acceptor& acceptor) {
    for (;;) {
        auto socket = co_await acceptor.async_accept(asio::use_awaitable);
        asio::co_spawn(acceptor.get_executor(), echo(std::move(socket)), end_echoes);
    }
}

inline void run_echo(const std::string& path) {
    asio::io_context loop{1};
    asio::local::stream_protocol::acceptor acceptor(loop, asio::local::stream_protocol::endpoint(path));
    asio::co_spawn(loop, accept_echoes(acceptor), end_echoes);
    loop.run();
}

}  // namespace stillboot::bench
