// SPDX-License-Identifier: Apache-2.0
#include "daemon/main/system_info.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/temporary_tree.hpp"

using namespace stillboot;

TEST_SUITE("system") {
    TEST_CASE("a PC is described by its DMI, and its interfaces by the kernel") {
        const test::TemporaryTree tree;
        tree.file("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
        tree.file("sys/class/dmi/id/product_name", "PowerEdge R640 \n");
        tree.file("sys/class/dmi/id/bios_vendor", "Dell Inc.\n");
        tree.file("sys/class/dmi/id/bios_version", "2.1\n");
        tree.directory("sys/firmware/efi");
        tree.file("proc/sys/kernel/osrelease", "6.1.0-28-amd64\n");
        tree.file("proc/cpuinfo",
                  "processor\t: 0\ncpu family\t: 6\nmodel name\t: Intel(R) Xeon(R)\n\nprocessor\t: 1\n");
        tree.file("proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n");
        tree.file("sys/devices/system/cpu/online", "0-3,8\n");
        tree.file("sys/class/net/lo/type", "772\n");
        tree.file("sys/class/net/eth1/address", "52:54:00:00:00:01\n");
        tree.file("sys/class/net/eth0/address", "52:54:00:00:00:00\n");
        tree.file("sys/class/net/eth0/carrier", "1\n");
        tree.file("sys/class/net/eth0/speed", "1000\n");
        tree.file("sys/class/net/eth1/carrier", "0\n");
        tree.file("sys/class/net/eth1/speed", "-1\n");
        const auto system = read_system(tree.root(), {{"eth0", {"192.0.2.1/24"}}});
        CHECK(system.model == "Dell Inc. PowerEdge R640");
        CHECK(system.firmware == "Dell Inc. 2.1 (EFI)");
        CHECK(system.kernel == "6.1.0-28-amd64");
        CHECK_FALSE(system.architecture.empty());
        CHECK(system.processor == "Intel(R) Xeon(R)");
        CHECK(system.processors == 5);
        CHECK(system.memory_bytes == 16'777'216);
        REQUIRE(system.interfaces.size() == 2);
        CHECK(system.interfaces[0] ==
              protocol::Interface{"eth0", "52:54:00:00:00:00", true, 1000, {"192.0.2.1/24"}});
        CHECK(system.interfaces[1] == protocol::Interface{"eth1", "52:54:00:00:00:01", false, std::nullopt, {}});
    }

    TEST_CASE("an OpenPOWER machine is described by its device tree") {
        const test::TemporaryTree tree;
        tree.file("proc/device-tree/model", std::string("8335-GTH\0", 9));
        tree.directory("sys/firmware/opal");
        tree.file("proc/cpuinfo", "processor\t: 0\ncpu\t\t: POWER9, altivec supported\n");
        const auto system = read_system(tree.root(), {});
        CHECK(system.model == "8335-GTH");
        CHECK(system.firmware == "OPAL");
        CHECK(system.processor == "POWER9, altivec supported");
    }

    TEST_CASE("a machine that says nothing is described by nothing") {
        const test::TemporaryTree tree;
        auto system = read_system(tree.root(), {});
        system.architecture.clear();
        CHECK(system == protocol::System());
    }

    TEST_CASE("the addresses of this machine have the loopback's among them") {
        const auto addresses = addresses_of_interfaces();
        REQUIRE(addresses.count("lo") == 1);
        const auto& loopback = addresses.at("lo");
        CHECK(std::find(loopback.begin(), loopback.end(), "127.0.0.1/8") != loopback.end());
    }
}
