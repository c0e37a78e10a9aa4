// SPDX-License-Identifier: Apache-2.0
#include "quiesce/block_place.hpp"

#include <doctest/doctest.h>

#include "quiesce/sysfs.hpp"
#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::test::TemporaryTree;

namespace {

/// A disk at a path, with one partition.
void put(const TemporaryTree& tree, const std::string& path, const std::string& wwid) {
    const std::string name = path.substr(path.rfind('/') + 1);
    tree.file("sys/devices/" + path + "/wwid", wwid + "\n");
    tree.file("sys/devices/" + path + "/" + name + "1/partition", "1\n");
    tree.link("sys/class/block/" + name, "../../devices/" + path);
    tree.link("sys/class/block/" + name + "1", "../../devices/" + path + "/" + name + "1");
}

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("a partition is found where it was, and not by its name") {
        const TemporaryTree before;
        put(before, "pci/00:03.0/virtio1/block/vda", "");
        put(before, "pci/00:04.0/virtio2/block/vdb", "");
        const Root root = before.root();
        const BlockPlace place = place_of(root, "/dev/vdb1");
        CHECK(place == BlockPlace{"/sys/devices/pci/00:04.0/virtio*/block/*", "", "1"});
        CHECK(node_at(root, place, "/dev/vdb1") == "/dev/vdb1");

        const TemporaryTree after;
        put(after, "pci/00:03.0/virtio2/block/vdb", "");
        put(after, "pci/00:04.0/virtio1/block/vda", "");
        CHECK(node_at(after.root(), place, "/dev/vdb1") == "/dev/vda1");
        CHECK_FALSE(node_at(TemporaryTree().root(), place, "/dev/vdb1"));
        CHECK_FALSE(node_at(after.root(), {}, "/dev/vdb1"));
        CHECK(place_of(root, "/dev/vdz1") == BlockPlace());
        CHECK(place_of(root, "a word") == BlockPlace());
    }

    TEST_CASE("disks of one controller are told apart by what they say they are, else by the name") {
        const TemporaryTree tree;
        put(tree, "pci/00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda", "naa.1");
        put(tree, "pci/00:1f.2/ata2/host1/target1:0:0/1:0:0:0/block/sdb", "naa.2");
        put(tree, "pci/00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sdc", "");
        put(tree, "pci/00:1f.2/ata4/host3/target3:0:0/3:0:0:0/block/sdd", "");
        const Root root = tree.root();
        CHECK(node_at(root, place_of(root, "/dev/sdb"), "/dev/sda") == "/dev/sdb");
        CHECK(node_at(root, place_of(root, "/dev/sdd"), "/dev/sdd") == "/dev/sdd");
        CHECK_FALSE(node_at(root, place_of(root, "/dev/sdd"), "/dev/sda"));
    }

    TEST_CASE("what is on USB can be taken away, whatever it says of itself") {
        CHECK(is_removable("/sys/devices/pci0000:00/0000:00:04.0/usb2/2-1/2-1:1.0/host2/block/sda", "0"));
        CHECK(is_removable("/devices/pci0000:00/0000:00:1f.2/ata1/block/sda", "1"));
        CHECK_FALSE(is_removable("/devices/pci0000:00/0000:00:1f.2/ata1/block/sda", "0"));
        CHECK_FALSE(is_removable("/devices/platform/usbX/usb/block/sda", ""));
    }
}
