// SPDX-License-Identifier: Apache-2.0
// A user's mistakes, refused in words; nothing here touches a device.
#include "ui/cli/mistakes.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <sstream>

#include "tests/temporary_tree.hpp"
#include "ui/cli/stop_signals.hpp"

using namespace stillboot;
using namespace stillboot::cli;
using namespace std::string_view_literals;
using stillboot::test::TemporaryTree;

namespace {

struct Said {
    std::optional<ExitCode> code;
    std::string err;
};

/// A machine whose one network card carries an ssh session of this process.
struct Machine {
    Machine() {
        tree.file("proc/self/environ", "SSH_CONNECTION=192.0.2.9 5022 fe80::1%eth0 22\0"sv);
        tree.file("proc/self/stat", "1 (x) S 0 1 1 0 1\n");
        tree.link("sys/class/net/eth0", "../../devices/pci0000:00/0000:00:01.0/net/eth0");
        quiesce::Device device;
        device.path = "/sys/devices/pci0000:00/0000:00:01.0";
        device.name = "0000:00:01.0";
        device.bus = "pci";
        device.driver = "e1000e";
        device.can_unbind = true;
        inventory.devices[device.path] = device;
    }

    Said cut_off(bool even) {
        std::ostringstream out;
        std::ostringstream err;
        const Context context(out, err);
        const auto plan = quiesce::make_plan(inventory, {});
        Said said;
        said.code = refuse_cut_off(context, tree.root(), inventory, plan, even);
        said.err = err.str();
        return said;
    }

    TemporaryTree tree;
    quiesce::Inventory inventory;
};

}  // namespace

TEST_SUITE("cli") {
    TEST_CASE("a session that would end by its own order is refused, with the way out") {
        Machine machine;
        const Said said = machine.cut_off(false);
        CHECK(said.code == ExitCode::refused);
        CHECK(said.err ==
              "stillboot: you are logged in over ssh through eth0, which 0000:00:01.0 (e1000e) carries: the "
              "connection "
              "would end\nTo do it all the same, from here: --even-if-cut-off\n");
    }

    TEST_CASE("a plan that is only looked at says so as a note") {
        Machine machine;
        std::ostringstream out;
        Context context(out, out);
        context.root = machine.tree.path().string();
        const auto notes =
            notes_for_the_caller(context, machine.tree.root(), quiesce::make_plan(machine.inventory, {}));
        REQUIRE(notes.size() == 1);
        CHECK(notes[0].code() == "quiesce.cut_off_ssh");
        context.root = "/";
        const auto of_this = notes_for_the_caller(context, machine.tree.root(), quiesce::Plan());
        CHECK(of_this.size() == (::geteuid() == 0 ? 0 : 1));
    }

    TEST_CASE("a signal asks for a stop, and a terminal that goes does where the program need not outlive it") {
        for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
            CAPTURE(number);
            const StopSignals signals(StopSignals::Hangup::stops);
            std::promise<void> asked;
            const std::stop_callback on_stop(signals.token(), [&] { asked.set_value(); });
            ::kill(::getpid(), number);
            asked.get_future().wait();
            CHECK(signals.token().stop_requested());
        }
        const auto hang_up = std::signal(SIGHUP, SIG_DFL);
        const auto pipe = std::signal(SIGPIPE, SIG_DFL);
        {
            const StopSignals signals(StopSignals::Hangup::is_ignored);
            ::kill(::getpid(), SIGHUP);
            ::kill(::getpid(), SIGPIPE);
            CHECK_FALSE(signals.token().stop_requested());
        }
        std::signal(SIGHUP, hang_up);
        std::signal(SIGPIPE, pipe);
    }

    TEST_CASE("there is no way out of a kernel without unbind files") {
        Machine machine;
        machine.inventory.devices.begin()->second.can_unbind = false;
        for (const bool even : {false, true}) {
            const Said said = machine.cut_off(even);
            CHECK(said.code == ExitCode::refused);
            CHECK(said.err ==
                  "stillboot: this kernel lets no driver be unbound: not one in sysfs has an unbind file\n");
        }
    }

    TEST_CASE("who is not root is told that first, and root in a container that it is one") {
        const TemporaryTree tree;
        tree.file("run/systemd/container", "docker");
        std::ostringstream out;
        std::ostringstream err;
        const Context context(out, err);
        CHECK(refuse_where_impossible(context, tree.root()) == ExitCode::refused);
        const std::string container =
            "this is a container (docker): its devices belong to the host, and can be brought to rest only from "
            "there";
        CHECK(err.str() == "stillboot: " + (::geteuid() == 0 ? container : "only root may do this") + "\n");
    }
}
