// SPDX-License-Identifier: Apache-2.0
// The daemon's server and methods without devices, for tests of who reaches them: remote_daemon SOCKET GROUP_FILE
// [TLS_DIRECTORY].
// Its log goes to standard error; it says "ready" on standard output, and "hand-over" and "cancelled" when it is
// asked for that. A line on standard input is the moment at which a hand-over takes its devices down; it ends when
// standard input does.
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>

#include "config/base/root.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/main/core.hpp"

using namespace stillboot;

namespace {

// Says what it is asked for, and never gets anywhere.
class WaitingBooter final : public handover::Booter {
public:
    explicit WaitingBooter(boost::asio::any_io_executor loop) : loop_(std::move(loop)) {}

    void start(handover::Request, handover::BootEvents events) override {
        events_ = std::move(events);
        busy_ = true;
        say("hand-over");
    }
    void cancel() override {
        if (std::exchange(busy_, false)) {
            boost::asio::post(loop_, [this] {
                events_.on_failed(Error("handover.cancelled"));
                say("cancelled");
            });
        }
    }
    void plan(handover::Request request, std::function<void(Result<std::vector<std::string>>)> done) override {
        done(std::vector<std::string>{"boots " + request.command_line});
    }
    void quiesce_plan(std::function<void(const Result<protocol::QuiescePlan>&)> done) override {
        done(protocol::QuiescePlan());
    }
    void choose(handover::ChosenFor, std::optional<handover::Choice>,
                std::function<void(const Result<handover::Choices>&)> done) override {
        done(Error("handover.no_place_to_choose"));
    }
    void keep_setting(const std::string&, std::optional<std::string>,
                      std::function<void(const Result<std::vector<SettingText>>&)> done) override {
        done(Error("handover.no_place_to_keep"));
    }
    [[nodiscard]] bool busy() const override { return busy_; }

private:
    static void say(const char* word) {
        std::puts(word);
        std::fflush(stdout);
    }

    boost::asio::any_io_executor loop_;
    handover::BootEvents events_;
    bool busy_ = false;
};

void add_option(registry::Registry& registry) {
    registry::DeviceRecord record;
    record.identity.id = "disk";
    record.identity.node = "/dev/vda1";
    registry.put_device(record);
    BootOption option;
    option.id = "disk/grub/linux";
    option.title = "Linux";
    option.kernel.path = "/vmlinuz";
    option.args = "root=1";
    ScanResult result;
    result.finding = std::vector<BootOption>{option};
    registry.set_result("disk", result);
}

CoreHooks hooks_for(Log& log) {
    CoreHooks hooks;
    hooks.rescan = [](const std::optional<std::string>&) { return true; };
    hooks.settle_again = [] {};
    hooks.why_no_restart = [](bool) { return std::nullopt; };
    hooks.clients = [] { return std::vector<protocol::Client>(); };
    hooks.system = [] { return protocol::System(); };
    hooks.restart = [&log](bool) { log.warning(Message("daemon.restarting")); };
    return hooks;
}

class Input {
public:
    Input(boost::asio::io_context& loop, Core& core) : loop_(loop), core_(core), input_(loop, 0) { read(); }

private:
    void read() {
        input_.async_read_some(boost::asio::buffer(line_), [this](const auto& failure, std::size_t) {
            if (failure) {
                return loop_.stop();
            }
            static_cast<void>(core_.leave_boot_callers());
            read();
        });
    }

    boost::asio::io_context& loop_;
    Core& core_;
    boost::asio::posix::stream_descriptor input_;
    std::array<char, 64> line_ = {};
};

void listen_for_tls(gate::Gate& gate, const std::string& directory) {
    gate::Order order;
    order.addresses = {"127.0.0.1:0"};
    order.files = {directory + "/server.pem", directory + "/server.key", directory + "/ca.pem"};
    gate.open(std::move(order));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        return 2;
    }
    boost::asio::io_context loop(1);
    Log log(Log::Sink::stderr_stream, LogLevel::info);
    registry::Registry registry({});
    policy::Policy policy(std::nullopt);
    WaitingBooter booter(loop.get_executor());
    SettingsKeeper settings({});
    StageTimes times(std::chrono::steady_clock::now(), std::chrono::milliseconds(0));
    Core core(loop.get_executor(), registry, policy, booter, log, hooks_for(log), settings, times);
    add_option(registry);
    core.on_registry_change();
    core.on_settled(true);
    const std::string groups(argv[2]);
    const auto root = Root::open("/");
    const Spawner spawner(loop.get_executor(), [](const std::string&, const std::string& what) {
        std::fprintf(stderr, "fault: %s\n", what.c_str());
        std::exit(1);
    });
    server::Server server(spawner, core, server::Limits(), [&](const auto& of_peer) {
        return server::role_of_groups(root->read_file(groups, 4096).value_or(""), of_peer);
    });
    if (auto listening = server.listen(argv[1]); !listening) {
        log.error(listening.error().message());
        return 1;
    }
    gate::Gate gate(spawner, server, core, log);
    if (argc > 3) {
        listen_for_tls(gate, argv[3]);
    }
    const Input input(loop, core);
    std::puts("ready");
    std::fflush(stdout);
    loop.run();
    gate.stop();
    server.stop();
    return 0;
}
