// SPDX-License-Identifier: Apache-2.0
#include "kexec/handover/system_watchdog.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::handover;

namespace {

/// A watchdog as sysfs shows it; its node is an ordinary file, which no request of a watchdog reaches.
void add_watchdog(const test::TemporaryTree& tree, const std::string& name, const std::string& identity,
                  const std::string& bootstatus) {
    const std::string place = "sys/devices/virtual/watchdog/" + name;
    tree.file(place + "/identity", identity + "\n");
    tree.file(place + "/bootstatus", bootstatus + "\n");
    tree.link("sys/class/watchdog/" + name, "/" + place);
    tree.file("dev/" + name, "");
}

}  // namespace

TEST_SUITE("handover") {
    TEST_CASE("a machine without a hardware watchdog is said to have none, whatever software has") {
        const test::TemporaryTree tree;
        const Root root = tree.root();
        SystemWatchdog watchdog(root);
        CHECK(watchdog.arm(std::chrono::seconds(60)).error().sentence() ==
              "no watchdog guards the jump: this machine shows no hardware watchdog");
        add_watchdog(tree, "watchdog0", "Software Watchdog", "32");
        CHECK(watchdog.arm(std::chrono::seconds(60)).error().code() == "handover.watchdog_none");
        CHECK(watchdog.disarm());
        CHECK_FALSE(watchdog_fired(root));
    }

    TEST_CASE("one that cannot be armed is named, is asked to stop, and counts as not armed") {
        const test::TemporaryTree tree;
        const Root root = tree.root();
        add_watchdog(tree, "watchdog0", "iTCO_wdt", "0");
        SystemWatchdog watchdog(root);
        CHECK(watchdog.arm(std::chrono::seconds(60)).error().sentence() ==
              "no watchdog guards the jump: watchdog0 cannot be armed: ENOTTY (Inappropriate ioctl for device)");
        CHECK(root.read_file("/dev/watchdog0", 16).value() == "V");
        CHECK(watchdog.disarm());
        CHECK(root.read_file("/dev/watchdog0", 16).value() == "V");
        CHECK(root.remove_file("/dev/watchdog0"));
        CHECK(watchdog.arm(std::chrono::seconds(60)).error().sentence() ==
              "no watchdog guards the jump: watchdog0 cannot be armed: ENOENT (No such file or directory)");
    }

    TEST_CASE("that a watchdog restarted the machine is one bit of what its hardware tells") {
        struct Row {
            const char* bootstatus;
            bool fired;
        };
        for (const Row& row :
             {Row{"0", false}, Row{"32", true}, Row{"33", true}, Row{"1", false}, Row{"x", false}}) {
            CAPTURE(row.bootstatus);
            const test::TemporaryTree tree;
            add_watchdog(tree, "watchdog0", "iTCO_wdt", "0");
            add_watchdog(tree, "watchdog1", "i6300ESB timer", row.bootstatus);
            CHECK(watchdog_fired(tree.root()) == row.fired);
        }
    }
}
