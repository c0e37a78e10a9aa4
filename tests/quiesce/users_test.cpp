// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "quiesce/plan.hpp"
#include "tests/quiesce/fake_machine.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::quiesce::test::FakeMachine;

namespace {

const std::string slot1 = "/sys/devices/pci0000:00/0000:00:01.0";
const std::string disk = slot1 + "/nvme/nvme0/nvme0n1";

/// An NVMe disk with two partitions.
void add_nvme(FakeMachine& machine) {
    machine.pci(slot1, "0x010802", "nvme");
    machine.disk(disk, "259:0", "eui.1");
    machine.disk(disk + "/nvme0n1p1", "259:1", "");
    machine.disk(disk + "/nvme0n1p2", "259:2", "");
}

std::vector<std::string> refusals(const FakeMachine& machine, const Policy& policy = {}) {
    std::vector<std::string> out;
    for (const auto& refusal : make_plan(machine.inventory(), policy).refusals) {
        out.push_back(refusal.sentence());
    }
    return out;
}

using Sentences = std::vector<std::string>;

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("a machine that nobody uses refuses nothing") {
        FakeMachine machine;
        add_nvme(machine);
        machine.file("/proc/self/mountinfo", "22 1 0:20 / /proc rw - proc proc rw\n");
        machine.file("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
        CHECK(refusals(machine).empty());
    }

    TEST_CASE("a mounted file system refuses, by device number, with its name unescaped") {
        FakeMachine machine;
        add_nvme(machine);
        machine.file("/proc/self/mountinfo", "30 1 259:2 / /mnt/a\\040b rw shared:1 - ext4 /dev/root rw\n");
        CHECK(refusals(machine) ==
              Sentences{"/dev/nvme0n1p2 is mounted at /mnt/a b, and 0000:00:01.0 (nvme) carries it"});
    }

    TEST_CASE("btrfs has an anonymous number and is found by its source") {
        FakeMachine machine;
        add_nvme(machine);
        machine.file("/proc/self/mountinfo", "30 1 0:40 /sub /x rw - btrfs /dev/nvme0n1p1 rw\n");
        CHECK(refusals(machine) ==
              Sentences{"/dev/nvme0n1p1 is mounted at /x, and 0000:00:01.0 (nvme) carries it"});
    }

    TEST_CASE("swap refuses") {
        FakeMachine machine;
        add_nvme(machine);
        machine.file("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/nvme0n1p1  partition 10 0 -2\n");
        CHECK(refusals(machine) ==
              Sentences{"/dev/nvme0n1p1 is in use as swap space, and 0000:00:01.0 (nvme) carries it"});
    }

    TEST_CASE("device mapper on md on a partition refuses, mounted or not, each by name") {
        FakeMachine machine;
        add_nvme(machine);
        const std::string md = "/sys/devices/virtual/block/md0";
        const std::string dm = "/sys/devices/virtual/block/dm-0";
        machine.disk(md, "9:0", "");
        machine.file(md + "/md/level", "raid1\n");
        machine.link(md + "/slaves/nvme0n1p2", disk + "/nvme0n1p2");
        machine.disk(dm, "253:0", "");
        machine.file(dm + "/dm/name", "vg-root\n");
        machine.link(dm + "/slaves/md0", md);
        CHECK(refusals(machine) ==
              Sentences{"the device-mapper device vg-root stands on md0, which 0000:00:01.0 (nvme) carries",
                        "the raid1 array md0 stands on nvme0n1p2, which 0000:00:01.0 (nvme) carries"});
    }

    TEST_CASE("a namespace of an NVMe subsystem stands on its controllers") {
        FakeMachine machine;
        machine.pci(slot1, "0x010802", "nvme");
        std::filesystem::create_directories(machine.real(slot1 + "/nvme/nvme0"));
        const std::string subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
        machine.link(subsystem + "/nvme0", slot1 + "/nvme/nvme0");
        machine.disk(subsystem + "/nvme0n1", "259:0", "eui.2");
        machine.file("/proc/self/mountinfo", "30 1 259:0 / /x rw - ext4 /dev/nvme0n1 rw\n");
        CHECK(refusals(machine) == Sentences{"/dev/nvme0n1 is mounted at /x, and 0000:00:01.0 (nvme) carries it"});
    }

    TEST_CASE("a mount on a kept disk stands in nobody's way") {
        FakeMachine machine;
        add_nvme(machine);
        machine.file("/proc/self/mountinfo", "30 1 259:2 / /x rw - ext4 /dev/nvme0n1p2 rw\n");
        Policy policy;
        policy.keep = {"nvme"};
        CHECK(refusals(machine, policy).empty());
    }

    TEST_CASE("a network mount, a disk over the network and our own client hold the network") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.interface(slot1 + "/net/eth0", "52:54:00:12:34:56");
        machine.file("/proc/self/mountinfo", "30 1 0:50 / /n rw - nfs4 server:/x rw\n");
        CHECK(refusals(machine) == Sentences{"server:/x is mounted at /n, and 0000:00:01.0 (e1000) carries it"});

        machine.disk("/sys/devices/platform/host9/session1/target9:0:0/9:0:0:1/block/sdz", "65:144", "naa.1");
        machine.file("/proc/self/mountinfo", "30 1 65:144 / /i rw - ext4 /dev/sdz rw\n");
        CHECK(refusals(machine) == Sentences{"/dev/sdz is mounted at /i, and 0000:00:01.0 (e1000) carries it"});

        machine.file("/proc/self/mountinfo", "");
        Policy policy;
        policy.busy_interfaces = {{"eth0", "a download"}};
        CHECK(refusals(machine, policy) ==
              Sentences{"the network interface eth0 of 0000:00:01.0 (e1000) is in use by a download"});
    }

    TEST_CASE("a file system shared over virtio holds its device") {
        FakeMachine machine;
        machine.pci(slot1, "0x000200", "virtio-pci");
        machine.device(slot1 + "/virtio0", "virtio", "9pnet_virtio");
        machine.file("/proc/self/mountinfo", "30 1 0:50 / /s rw - 9p tag rw\n");
        CHECK(refusals(machine) == Sentences{"tag is mounted at /s, and virtio0 (9pnet_virtio) carries it"});
    }

    TEST_CASE("damaged tables are read as far as they go") {
        FakeMachine machine;
        add_nvme(machine);
        machine.file("/proc/self/mountinfo", "\n1 2\n- - - - - - -\n30 1 259:2 / /x\\0 rw -\n");
        machine.file("/proc/swaps", "");
        machine.file("/proc/consoles", "\nttyS0\n");
        CHECK(refusals(machine).empty());
    }

    TEST_CASE("nouveau is kept while a process holds a graphics node") {
        FakeMachine machine;
        machine.pci(slot1, "0x030000", "nouveau");
        machine.file("/proc/1/comm", "init");
        std::filesystem::create_directories(machine.real("/proc/77/fd"));
        CHECK(make_plan(machine.inventory(), {}).steps.size() == 1);
        std::filesystem::create_symlink("/dev/dri/card0", machine.real("/proc/77/fd/5"));
        CHECK(make_plan(machine.inventory(), {}).steps.empty());
    }
}
