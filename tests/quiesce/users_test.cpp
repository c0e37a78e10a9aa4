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
        const Plan plan = make_plan(machine.inventory(), {});
        CHECK(plan.steps.empty());
        CHECK(plan.kept.at(0).reason.sentence() == "? (process 77) holds a graphics device open");
    }

    TEST_CASE("what device mapper makes is called by its kind") {
        for (const auto& [uuid, words] : std::vector<std::pair<std::string, std::string>>{
                 {"LVM-abc", "the logical volume x stands on nvme0n1p2, which 0000:00:01.0 (nvme) carries"},
                 {"CRYPT-LUKS2-abc",
                  "the encrypted volume x stands on nvme0n1p2, which 0000:00:01.0 (nvme) carries"},
                 {"mpath-abc", "the multipath device x stands on nvme0n1p2, which 0000:00:01.0 (nvme) carries"},
                 {"part1-mpath-abc",
                  "the device-mapper device x stands on nvme0n1p2, which 0000:00:01.0 (nvme) carries"}}) {
            CAPTURE(uuid);
            FakeMachine machine;
            add_nvme(machine);
            const std::string dm = "/sys/devices/virtual/block/dm-0";
            machine.disk(dm, "253:0", "");
            machine.file(dm + "/dm/name", "x\n");
            machine.file(dm + "/dm/uuid", uuid + "\n");
            machine.link(dm + "/slaves/nvme0n1p2", disk + "/nvme0n1p2");
            CHECK(refusals(machine) == Sentences{words});
        }
    }

    TEST_CASE("bcache, and whatever else has slaves, refuses by its own name") {
        FakeMachine machine;
        add_nvme(machine);
        machine.disk("/sys/devices/virtual/block/bcache0", "252:0", "");
        machine.link("/sys/devices/virtual/block/bcache0/slaves/nvme0n1p1", disk + "/nvme0n1p1");
        CHECK(refusals(machine) == Sentences{"bcache0 stands on nvme0n1p1, which 0000:00:01.0 (nvme) carries"});
    }

    TEST_CASE("a swap file and the file of a loop device hold the file system's disk") {
        FakeMachine machine;
        add_nvme(machine);
        machine.file("/proc/self/mountinfo",
                     "30 1 0:30 / / rw - tmpfs tmpfs rw\n31 1 259:2 / /data rw - ext4 /dev/nvme0n1p2 rw\n");
        machine.file("/proc/swaps",
                     "Filename\tType\tSize\tUsed\tPriority\n/data/swap\\040file file 10 0 -2\n"
                     "/in-memory file 10 0 -3\n");
        machine.disk("/sys/devices/virtual/block/loop0", "7:0", "");
        machine.file("/sys/devices/virtual/block/loop0/loop/backing_file", "/data/disk.img\n");
        machine.disk("/sys/devices/virtual/block/loop1", "7:1", "");
        machine.file("/sys/devices/virtual/block/loop1/loop/backing_file", "/database/disk.img\n");
        CHECK(refusals(machine) ==
              Sentences{"/dev/nvme0n1p2 is mounted at /data, and 0000:00:01.0 (nvme) carries it",
                        "/data/swap file is in use as swap space, and 0000:00:01.0 (nvme) carries it",
                        "the loop device loop0 shows /data/disk.img, which 0000:00:01.0 (nvme) carries"});
    }

    TEST_CASE("compressed memory is no disk") {
        FakeMachine machine;
        add_nvme(machine);
        machine.disk("/sys/devices/virtual/block/zram0", "251:0", "");
        machine.file("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0  partition 10 0 100\n");
        CHECK(refusals(machine).empty());
    }

    TEST_CASE("a file system of several devices needs them all") {
        const std::string slot2 = "/sys/devices/pci0000:00/0000:00:02.0";
        FakeMachine machine;
        add_nvme(machine);
        machine.pci(slot2, "0x010802", "other-driver");
        machine.disk(slot2 + "/nvme/nvme1/nvme1n1", "259:5", "eui.2");
        Policy policy;
        policy.keep = {"nvme"};  // the one that the mount table names stays, so the other one must refuse
        machine.file("/proc/self/mountinfo", "30 1 0:40 / /x rw - btrfs /dev/nvme0n1p1 rw\n");
        CHECK(refusals(machine, policy).empty());
        machine.link("/sys/fs/btrfs/11-22/devices/nvme0n1p1", disk + "/nvme0n1p1");
        machine.link("/sys/fs/btrfs/11-22/devices/nvme1n1", slot2 + "/nvme/nvme1/nvme1n1");
        CHECK(refusals(machine, policy) ==
              Sentences{"/dev/nvme0n1p1 is mounted at /x, and 0000:00:02.0 (other-driver) carries it"});
        machine.file("/proc/self/mountinfo", "30 1 0:40 / /y rw - bcachefs /dev/nvme0n1p1:/dev/nvme1n1 rw\n");
        CHECK(refusals(machine, policy) ==
              Sentences{"/dev/nvme0n1p1 is mounted at /y, and 0000:00:02.0 (other-driver) carries it"});
        machine.file("/proc/self/mountinfo", "30 1 0:40 / /z rw - zfs tank/home rw\n");
        CHECK(refusals(machine, policy) ==
              Sentences{"tank/home is mounted at /z, and 0000:00:02.0 (other-driver) carries it"});
    }

    TEST_CASE("a mount that only another name space shows refuses by the process that sees it") {
        FakeMachine machine;
        add_nvme(machine);
        const std::string own = "30 1 259:1 / /x rw - ext4 /dev/nvme0n1p1 rw\n";
        machine.file("/proc/self/mountinfo", own);
        std::filesystem::create_directories(machine.real("/proc/self/ns"));
        std::filesystem::create_symlink("mnt:[1]", machine.real("/proc/self/ns/mnt"));
        for (const std::string pid : {"1", "80", "9"}) {
            machine.file("/proc/" + pid + "/comm", "program" + pid + "\n");
            std::filesystem::create_directories(machine.real("/proc/" + pid + "/ns"));
            std::filesystem::create_symlink(pid == "1" ? "mnt:[1]" : "mnt:[2]",
                                            machine.real("/proc/" + pid + "/ns/mnt"));
            machine.file("/proc/" + pid + "/mountinfo",
                         own + "31 1 259:2 / /inside rw - ext4 /dev/nvme0n1p2 rw\n");
        }
        CHECK(refusals(machine) ==
              Sentences{"/dev/nvme0n1p1 is mounted at /x, and 0000:00:01.0 (nvme) carries it",
                        "/dev/nvme0n1p2 is mounted at /inside for program9 (process 9), and 0000:00:01.0 (nvme) "
                        "carries it"});
    }

    TEST_CASE("a view that a scan has mounted in its own name space refuses only as the loop device it is") {
        FakeMachine machine;
        add_nvme(machine);
        machine.disk("/sys/devices/virtual/block/loop0", "7:0", "");
        machine.file("/sys/devices/virtual/block/loop0/loop/backing_file", "/dev/nvme0n1p2\n");
        machine.file("/proc/self/mountinfo", "");
        machine.file("/proc/9/comm", "stillboot-probe\n");
        machine.file("/proc/9/mountinfo", "31 1 7:0 / /tmp ro - ext4 /dev/loop0 ro\n");
        std::filesystem::create_directories(machine.real("/proc/9/ns"));
        std::filesystem::create_symlink("mnt:[2]", machine.real("/proc/9/ns/mnt"));
        CHECK(refusals(machine) ==
              Sentences{"the loop device loop0 shows /dev/nvme0n1p2, which 0000:00:01.0 (nvme) carries"});
    }

    TEST_CASE("network block devices hold the network") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.interface(slot1 + "/net/eth0", "52:54:00:12:34:56");
        for (const std::string path :
             {"virtual/block/nbd0", "rbd/1/block/rbd1", "virtual/block/drbd2", "virtual/block/etherd!e0.0"}) {
            CAPTURE(path);
            const std::string name = path.substr(path.rfind('/') + 1);
            machine.disk("/sys/devices/" + path, "43:0", "");
            machine.file("/proc/self/mountinfo", "30 1 43:0 / /i rw - ext4 /dev/" + name + " rw\n");
            CHECK(refusals(machine) ==
                  Sentences{"/dev/" + name + " is mounted at /i, and 0000:00:01.0 (e1000) carries it"});
            std::filesystem::remove(machine.real("/sys/class/block/" + name));
        }
    }

    TEST_CASE("what else a file system writes to carries it too: an external log") {
        FakeMachine machine;
        add_nvme(machine);
        machine.pci("/sys/devices/pci0000:00/0000:00:02.0", "0x010700", "mpt3sas");
        machine.disk("/sys/devices/pci0000:00/0000:00:02.0/block/sdb", "8:16", "");
        machine.file("/proc/self/mountinfo",
                     "30 1 8:16 / /x rw - xfs /dev/sdb rw,logdev=/dev/nvme0n1p2,noquota\n");
        CHECK(make_plan(machine.inventory(), {}).refusals.size() == 1);
        Policy keeping;
        keeping.in_use = InUse::keep;
        CHECK(make_plan(machine.inventory(), keeping).steps.empty());
    }

    TEST_CASE("a table that cannot be read whole is not taken for an empty one") {
        for (const std::string path :
             {"/proc/self/mountinfo", "/proc/swaps", "/proc/consoles", "/proc/7/mountinfo"}) {
            CAPTURE(path);
            FakeMachine machine;
            std::filesystem::create_directories(machine.real("/proc/7/ns"));
            std::filesystem::create_symlink("mnt:[2]", machine.real("/proc/7/ns/mnt"));
            std::filesystem::remove(machine.real(path));
            std::filesystem::create_directories(machine.real(path));  // EISDIR: root reads all else
            const auto read = read_inventory(machine.root(), machine.order_reader());
            REQUIRE_FALSE(read);
            CHECK(read.error().code() == "quiesce.unreadable");
            CHECK(read.error().sentence().starts_with(path + " cannot be read ("));
        }
        const FakeMachine without;
        std::filesystem::remove(without.real("/proc/self/mountinfo"));
        CHECK(
            read_inventory(without.root(), without.order_reader()).error().sentence() ==
            "/proc/self/mountinfo cannot be read (/proc/self/mountinfo cannot be opened: ENOENT (No such file or "
            "directory)), so that it is not known what is in use: nothing may be unbound");
    }

    TEST_CASE("a program that a device was given to refuses, by its group or by the device itself") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "vfio-pci");
        machine.link("/sys/kernel/iommu_groups/12/devices/0000:00:01.0", slot1);
        machine.class_device(slot1 + "/vfio-dev/vfio3", "vfio-dev");
        machine.file("/dev/vfio/vfio", "");
        machine.file("/proc/812/comm", "qemu-system-x86\n");
        std::filesystem::create_directories(machine.real("/proc/812/fd"));
        for (const std::string node : {"/dev/vfio/12", "/dev/vfio/noiommu-12", "/dev/vfio/devices/vfio3"}) {
            std::filesystem::remove(machine.real("/proc/812/fd/9"));
            std::filesystem::create_symlink(node, machine.real("/proc/812/fd/9"));
            CHECK(refusals(machine) ==
                  Sentences{"qemu-system-x86 (process 812) holds " + node +
                            " open, and 0000:00:01.0 (vfio-pci) would wait for it to be closed"});
        }
        std::filesystem::remove(machine.real("/proc/812/fd/9"));
        std::filesystem::create_symlink("/dev/vfio/vfio", machine.real("/proc/812/fd/9"));
        CHECK(refusals(machine).empty());
    }

    TEST_CASE("an open sound or graphics node refuses once for each process, which is named") {
        FakeMachine machine;
        machine.pci(slot1, "0x040300", "snd_hda_intel");
        machine.class_device(slot1 + "/sound/card0/controlC0", "sound");
        machine.class_device(slot1 + "/sound/card0/pcmC0D0p", "sound");
        const std::string slot2 = "/sys/devices/pci0000:00/0000:00:02.0";
        machine.pci(slot2, "0x030000", "i915");
        machine.class_device(slot2 + "/drm/card1", "drm");
        CHECK(refusals(machine).empty());
        const auto hold = [&](const std::string& pid, const std::string& fd, const std::string& node) {
            std::filesystem::create_directories(machine.real("/proc/" + pid + "/fd"));
            std::filesystem::create_symlink(node, machine.real("/proc/" + pid + "/fd/" + fd));
        };
        machine.file("/proc/812/comm", "wireplumber\n");
        hold("812", "5", "/dev/snd/controlC0");
        hold("812", "6", "/dev/snd/pcmC0D0p");
        hold("812", "7", "/dev/null");
        hold("99", "3", "/dev/dri/card1");
        hold("99", "4", "/dev/dri/card7");
        CHECK(
            refusals(machine) ==
            Sentences{"? (process 99) draws through /dev/dri/card1, which 0000:00:02.0 (i915) drives",
                      "wireplumber (process 812) holds /dev/snd/controlC0 open, and 0000:00:01.0 (snd_hda_intel) "
                      "would wait for it to be closed"});
    }

    TEST_CASE("what is in use can be kept instead of refused, with everything under it") {
        Policy keep;
        keep.in_use = InUse::keep;
        struct Row {
            std::string name;
            std::string mountinfo;
            std::string swaps;
            std::string reason;  ///< why the disk is kept; empty: it is unbound
        };
        const Row rows[] = {
            {"a file system that is writable", "30 1 259:2 / /srv rw - ext4 /dev/nvme0n1p2 rw\n", "",
             "/dev/nvme0n1p2 is mounted at /srv, and 0000:00:01.0 (nvme) carries it"},
            {"a writable one behind a mount that is read-only", "30 1 259:2 / /srv ro - ext4 /dev/root rw,x\n", "",
             "/dev/nvme0n1p2 is mounted at /srv, and 0000:00:01.0 (nvme) carries it"},
            {"swap", "", "/dev/nvme0n1p1 partition 1 0 -2\n",
             "/dev/nvme0n1p1 is in use as swap space, and 0000:00:01.0 (nvme) carries it"},
            {"a read-only root", "30 1 259:2 / / ro - ext4 /dev/root ro,errors=remount-ro\n", "", ""},
            {"a mount table without options of the file system", "30 1 259:2 / / ro - ext4 /dev/root\n", "",
             "/dev/nvme0n1p2 is mounted at /, and 0000:00:01.0 (nvme) carries it"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            FakeMachine machine;
            add_nvme(machine);
            machine.file("/dev/nvme0n1p1", "");
            machine.file("/proc/self/mountinfo", row.mountinfo);
            machine.file("/proc/swaps", "Filename Type Size Used Priority\n" + row.swaps);
            const Plan plan = make_plan(machine.inventory(), keep);
            CHECK(plan.refusals.empty());
            const Kept* kept = plan.kept_at(slot1);
            CHECK((kept == nullptr ? "" : kept->reason.sentence()) == row.reason);
            CHECK(plan.steps.size() == (row.reason.empty() ? 1 : 0));
        }
    }

    TEST_CASE("a volume under a read-only file system goes, an array and what it stands on stay") {
        Policy keep;
        keep.in_use = InUse::keep;
        FakeMachine machine;
        add_nvme(machine);
        const std::string dm = "/sys/devices/virtual/block/dm-0";
        machine.disk(dm, "253:0", "");
        machine.link(dm + "/slaves/nvme0n1p2", disk + "/nvme0n1p2");
        machine.file("/proc/self/mountinfo", "30 1 253:0 / / ro - ext4 /dev/dm-0 ro\n");
        struct Row {
            std::string attribute;
            std::string text;
            std::string reason;
        };
        const Row rows[] = {
            {"/dm/name", "vg-root", ""},
            {"/loop/backing_file", "/dev/nvme0n1p2", ""},
            {"/dm/name", "vg-root_rimage_0",
             "the device-mapper device vg-root_rimage_0 stands on nvme0n1p2, which 0000:00:01.0 (nvme) carries"},
            {"/md/level", "raid1", "the raid1 array dm-0 stands on nvme0n1p2, which 0000:00:01.0 (nvme) carries"},
            {"/bcache/x", "", "dm-0 stands on nvme0n1p2, which 0000:00:01.0 (nvme) carries"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.attribute);
            machine.file(dm + row.attribute, row.text + "\n");
            const Plan plan = make_plan(machine.inventory(), keep);
            const Kept* kept = plan.kept_at(slot1);
            CHECK((kept == nullptr ? "" : kept->reason.sentence()) == row.reason);
            std::filesystem::remove(machine.real(dm + row.attribute));
        }
    }

    TEST_CASE("a network file system keeps every interface, also where it is read-only") {
        Policy keep;
        keep.in_use = InUse::keep;
        FakeMachine machine;
        add_nvme(machine);
        const std::string card = "/sys/devices/pci0000:00/0000:00:02.0";
        machine.pci(card, "0x020000", "e1000e");
        machine.interface(card + "/net/eth0", "52:54:00:00:00:01");
        machine.file("/proc/self/mountinfo", "30 1 0:40 / / ro - nfs4 server:/root ro\n");
        const Plan plan = make_plan(machine.inventory(), keep);
        REQUIRE(plan.kept_at(card) != nullptr);
        CHECK(plan.kept_at(card)->reason.sentence() ==
              "server:/root is mounted at /, and 0000:00:02.0 (e1000e) carries it");
        CHECK(plan.kept_at(slot1) == nullptr);
    }
}
