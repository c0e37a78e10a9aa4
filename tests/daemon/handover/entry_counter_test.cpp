// SPDX-License-Identifier: Apache-2.0
#include "daemon/handover/entry_counter.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace std::chrono_literals;
using stillboot::test::TemporaryTree;

namespace {

Try one_of(DeviceRef device) {
    return {{"/dev/none1", std::move(device), "iso9660", "/loader/entries", "a+3.conf"}, "a+2-1.conf"};
}

}  // namespace

TEST_SUITE("daemon handover") {
    TEST_CASE("a device is found by what udev links, and nothing outside of /dev is one") {
        const TemporaryTree tree;
        tree.file("dev/nvme1n1p1", "");
        tree.file("etc/passwd", "");
        tree.link("dev/disk/by-partuuid/1234", "../../nvme1n1p1");
        tree.link("dev/disk/by-uuid/ABCD-0123", "../../nvme1n1p1");
        tree.link("dev/disk/by-uuid/evil", "../../../etc/passwd");
        const Root root = tree.root();
        CHECK(node_of(root, {DeviceRef::Kind::partuuid, "1234"}) == "/dev/nvme1n1p1");
        CHECK(node_of(root, {DeviceRef::Kind::uuid, "ABCD-0123"}) == "/dev/nvme1n1p1");
        CHECK_FALSE(node_of(root, {DeviceRef::Kind::uuid, "1234"}));
        CHECK_FALSE(node_of(root, {DeviceRef::Kind::uuid, "evil"}));
        CHECK_FALSE(node_of(root, {DeviceRef::Kind::uuid, "../by-partuuid/1234"}));
        CHECK_FALSE(node_of(root, {DeviceRef::Kind::label, "1234"}));
        CHECK_FALSE(node_of(root, {}));
    }

    TEST_CASE("a try is given back where it was taken, and not on a copy of that disk") {
        const TemporaryTree tree;
        for (const std::string name : {"sda", "sdb"}) {
            tree.file("dev/" + name, "");
            tree.file("sys/devices/" + name + "_slot/block/" + name + "/dev", "");
            tree.link("sys/class/block/" + name, "../../devices/" + name + "_slot/block/" + name);
        }
        tree.link("dev/disk/by-uuid/A", "../../sda");
        const Root root = tree.root();
        EntryCounter counter(root, 0ms);
        Try one = one_of({DeviceRef::Kind::uuid, "A"});
        one.file.place = quiesce::place_of(root, "/dev/sdb");
        CHECK(counter.give_back(one).error().code() == "state.not_writable");  // there is such a place
        std::filesystem::remove(tree.path() / "sys/class/block/sdb");
        CHECK(counter.give_back(one).error().code() == "handover.entry_device_gone");
    }

    TEST_CASE("what the file system cannot take is said, and a device that does not come back as well") {
        const TemporaryTree tree;
        tree.file("dev/none1", "");
        tree.link("dev/disk/by-uuid/A", "../../none1");
        const Root root = tree.root();
        EntryCounter counter(root, 0ms);
        CHECK(counter.take(one_of({})).error().code() == "state.not_writable");
        CHECK(counter.give_back(one_of({})).error().code() == "state.not_writable");
        CHECK(counter.give_back(one_of({DeviceRef::Kind::uuid, "A"})).error().code() == "state.not_writable");
        CHECK(counter.give_back(one_of({DeviceRef::Kind::uuid, "B"})).error().sentence() ==
              "the device that holds /loader/entries/a+3.conf did not come back: its try is not given back");
    }
}
