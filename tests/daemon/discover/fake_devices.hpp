// SPDX-License-Identifier: Apache-2.0
// A discovery over devices and scans that a test makes up, run until nothing more happens by itself.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/discover/discovery.hpp"
#include "tests/temporary_tree.hpp"

namespace stillboot::discover::test {

namespace asio = boost::asio;
using protocol::DeviceState;

// Something to wait for on the loop.
class Gate {
public:
    explicit Gate(asio::io_context& loop) : timer_(loop, asio::steady_timer::time_point::max()) {}
    asio::awaitable<void> pass() {
        boost::system::error_code woken;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    void open() { timer_.cancel(); }

private:
    asio::steady_timer timer_;
};

class FakeSource final : public DeviceSource {
public:
    explicit FakeSource(asio::io_context& loop) : gate_(loop) {}
    std::vector<std::string> devpaths() override {
        std::vector<std::string> paths;
        for (const auto& facts : there) {
            paths.push_back(facts.devpath);
        }
        return paths;
    }
    std::optional<BlockFacts> read(const std::string& devpath) override {
        on_read(devpath);
        for (const auto& facts : there) {
            if (facts.devpath == devpath && !unknown.contains(devpath)) {
                return facts;
            }
        }
        return std::nullopt;
    }
    asio::awaitable<DeviceEvent> next() override {
        while (events_.empty()) {
            co_await gate_.pass();
        }
        DeviceEvent event = std::move(events_.front());
        events_.pop_front();
        co_return event;
    }
    void close() override {}
    void push(DeviceEvent::Kind kind, BlockFacts facts = {}, bool media_change = false) {
        DeviceEvent event;
        event.kind = kind;
        event.facts = std::move(facts);
        event.media_change = media_change;
        events_.push_back(std::move(event));
        gate_.open();
    }

    std::vector<BlockFacts> there;
    std::set<std::string> unknown;  ///< devpaths that udev has yet to look at
    std::function<void(const std::string& devpath)> on_read = [](const std::string&) {};

private:
    Gate gate_;
    std::deque<DeviceEvent> events_;
};

class FakeScanner final : public Scanner {
public:
    explicit FakeScanner(asio::io_context& loop) : loop_(loop) {}

    asio::awaitable<Result<ScanResult>> scan(DeviceId device, std::vector<std::string> named,
                                             QuestionHandler handler) override {
        started.push_back(device.id);
        co_await asio::post(loop_, asio::use_awaitable);  // a process has nothing to say at once
        if (!questions.empty()) {
            for (const auto& question : questions) {
                probe::Question copy = question;
                auto answered = co_await handler(std::move(copy));
                answers.push_back(std::move(answered));
            }
        }
        if (held) {
            gates_.push_back(std::make_shared<Gate>(loop_));
            const auto gate = gates_.back();
            co_await gate->pass();
        }
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (cancelled.cancelled() != asio::cancellation_type::none) {
            ++cancellations;
            co_return Error("probe.cancelled");
        }
        if (throws) {
            throw std::runtime_error("thrown");
        }
        if (failure) {
            co_return *failure;
        }
        BootOption option;
        option.id = device.id + "/grub/a";
        option.title = "on " + device.node;
        ScanResult result;
        std::vector<BootOption> options{option};
        for (const std::string& path : named) {
            NamedFile file;
            file.path = path;
            if (path.ends_with(".cfg")) {
                option.id = device.id + "/grub" + path;
                options.push_back(option);
                file.options = {option.id};
            } else {
                file.reason = Message("config.named_nothing", {{"path", path}});
            }
            result.named.push_back(file);
        }
        if (unread) {
            result.named.clear();
            result.finding = Nothing{Message("probe.out_of_memory")};
            co_return result;
        }
        result.finding = std::move(options);
        co_return result;
    }
    asio::awaitable<probe::Answer> ask(std::string node, probe::Question question) override {
        asked.push_back(node + ":" + question.path);
        probe::Answer answer;
        answer.kind = node == "/dev/b" ? FileSource::Kind::file : FileSource::Kind::missing;
        co_return answer;
    }
    void release() {
        for (const auto& gate : std::exchange(gates_, {})) {
            gate->open();
        }
    }

    bool held = false;
    bool throws = false;
    bool unread = false;
    std::optional<Error> failure;
    std::vector<probe::Question> questions;
    std::vector<probe::Answer> answers;
    std::vector<std::string> started;
    std::vector<std::string> asked;
    int cancellations = 0;

private:
    asio::io_context& loop_;
    std::vector<std::shared_ptr<Gate>> gates_;
};

inline BlockFacts disk(const std::string& name, const std::string& uuid = "") {
    BlockFacts facts;
    facts.devpath = "/devices/pci/" + name;
    facts.disk_devpath = facts.devpath;
    facts.name = name;
    facts.node = "/dev/" + name;
    facts.id_path = "pci-" + name;
    facts.uuid = uuid;
    facts.filesystem = "ext4";
    facts.size_bytes = 4096;
    return facts;
}

struct Fixture {
    Fixture() { settings.udev_directory = tree.path().string(); }
    ~Fixture() {
        loop.stop();
        CHECK(faults.empty());
    }

    void start(std::vector<BlockFacts> there) {
        source.there = std::move(there);
        discovery = std::make_unique<Discovery>(
            Spawner(loop.get_executor(),
                    [this](const std::string&, const std::string& what) { faults.push_back(what); }),
            source, scanner, registry, log, settings,
            DiscoveryEvents{[this] { ++changes; }, [this](bool complete) { settled = complete; }});
        asio::post(loop, [this] { discovery->start(); });
        run();
    }
    // Until nothing more happens by itself.
    void run() {
        while (loop.poll() != 0) {
        }
    }
    void event(DeviceEvent::Kind kind, BlockFacts facts = {}, bool media_change = false) {
        source.push(kind, std::move(facts), media_change);
        run();
    }
    [[nodiscard]] DeviceState state(const std::string& id) const {
        for (const auto& each : registry.devices()) {
            if (each.id == id) {
                return each.state;
            }
        }
        FAIL("no device ", id);
        return DeviceState::failed;
    }

    stillboot::test::TemporaryTree tree;
    asio::io_context loop{1};
    FakeSource source{loop};
    FakeScanner scanner{loop};
    registry::Registry registry{{"internal", "removable"}};
    Log log{Log::Sink::none, LogLevel::debug};
    DiscoverySettings settings;
    std::vector<std::string> faults;
    std::optional<bool> settled;
    int changes = 0;
    std::unique_ptr<Discovery> discovery;
};

}  // namespace stillboot::discover::test
