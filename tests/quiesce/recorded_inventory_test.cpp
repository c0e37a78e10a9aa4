// SPDX-License-Identifier: Apache-2.0
#include "quiesce/recorded_inventory.hpp"

#include <doctest/doctest.h>

#include "quiesce/plan.hpp"
#include "tests/quiesce/fake_machine.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::quiesce::test::FakeMachine;

namespace {

const std::string slot = "/sys/devices/pci0000:00/0000:00:01.0";
const std::string card = "/sys/devices/pci0000:00/0000:00:02.0";

/// Each member of each type of an inventory is set somewhere in it.
RecordedInventory full() {
    RecordedInventory out;
    out.head = {"9.9", "6.1.0-49-amd64", "x86_64", "2026-11-23T12:40:00Z", true};
    Inventory& inventory = out.inventory;
    Device nvme;
    nvme.path = slot;
    nvme.name = "0000:00:01.0";
    nvme.bus = "pci";
    nvme.driver = "nvme";
    nvme.bind_order = (std::uint64_t{1} << 63) + 7;
    nvme.can_unbind = true;
    nvme.modalias = "pci:v1";
    nvme.pci = PciFunction{0x010802, 0x1b36, 0x0010};
    nvme.virtual_functions = 4;
    nvme.physical_function = card;
    nvme.suppliers = {card};
    nvme.classes = {"block"};
    Device odd;
    odd.path = card;
    odd.name = "another name";
    odd.bus = "platform";
    inventory.devices = {{slot, nvme}, {card, odd}};
    inventory.blocks["nvme0n1"] = {"nvme0n1", slot + "/nvme0n1", "259:0", "", "", "", "eui.1", 2048, {}, {}, ""};
    inventory.blocks["dm-0"] = {"dm-0",
                                "/sys/devices/virtual/block/dm-0",
                                "253:0",
                                "vg-root",
                                "LVM",
                                "raid1",
                                "eui.1",
                                1024,
                                {"nvme0n1"},
                                {card},
                                "/home/someone/x"};
    inventory.interfaces = {{"enx525400123456", card + "/net/enx525400123456", "52:54:00:12:34:56", true, true}};
    inventory.users = {
        {Message("quiesce.user_dm", {{"name", "vg-root"}, {"source", "nvme0n1"}}), {slot}, true, true},
        {Message("quiesce.user_mount", {{"source", "server:/x"}, {"where", "/home/someone"}}), {}, false},
        {Message("quiesce.user_mount", {{"source", "/dev/nvme0n1"}, {"where", "/boot/efi"}}), {slot}, false}};
    inventory.consoles = {{"ttyS0", slot + "/tty/ttyS0"}, {"hvc0", ""}};
    inventory.autoprobe = {{"pci", "1"}};
    inventory.graphics_holder = "Xorg (process 1)";
    return out;
}

std::string words(std::string_view text) {
    const auto read = inventory_from_json(text);
    return read ? "it was read" : read.error().sentence();
}

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("an inventory reads back as it was written, every member of it") {
        const RecordedInventory recorded = full();
        const auto again = inventory_from_json(to_text(recorded));
        REQUIRE(again.has_value());
        CHECK(*again == recorded);
        CHECK(to_text(*again) == to_text(recorded));
    }

    TEST_CASE("a machine plans from its file as it does from sysfs") {
        FakeMachine machine;
        machine.pci(slot, "0x010802", "nvme");
        machine.pci(card, "0x020000", "e1000");
        machine.disk(slot + "/nvme/nvme0/nvme0n1", "259:0", "eui.1");
        machine.file("/proc/self/mountinfo", "30 1 259:0 / /x rw - ext4 /dev/nvme0n1 rw\n");
        machine.device_link(card, slot);
        RecordedInventory recorded;
        recorded.inventory = machine.inventory();
        const auto again = inventory_from_json(to_text(recorded)).value();
        CHECK(again.inventory == recorded.inventory);
        CHECK(make_plan(again.inventory, {}) == make_plan(recorded.inventory, {}));
        CHECK(make_plan(again.inventory, {}).refusals.size() == 1);
    }

    TEST_CASE("names that are not UTF-8 are recorded as far as they are, and read back") {
        RecordedInventory recorded;
        recorded.inventory.graphics_holder = "Gr\xc3";
        const auto again = inventory_from_json(to_text(recorded));
        REQUIRE(again.has_value());
        CHECK(again->inventory.graphics_holder == "Gr\xef\xbf\xbd");
    }

    TEST_CASE("blocks stand on blocks that are there, once each, and none stands in it twice") {
        const std::string head = R"({"format":"stillboot-inventory","version":1,"head":{},"blocks":[)";
        const std::string below = R"({"name":"sda","path":"/sys/devices/a"})";
        const auto read = inventory_from_json(
            head + below + R"(,{"name":"dm-0","path":"/sys/devices/b","stands_on":["sda","none","sda"]}]})");
        REQUIRE(read.has_value());
        CHECK(read->inventory.blocks.at("dm-0").stands_on == std::vector<std::string>{"sda"});
        CHECK(words(head + below + "," + below + "]}") ==
              "the inventory cannot be read: a block device stands in it twice");
    }

    TEST_CASE("what names a machine or its people is left out, and what was equal stays equal") {
        const Inventory plain = full().inventory;
        const Inventory hidden = without_identities(plain);
        CHECK(hidden.devices == plain.devices);
        CHECK(hidden.blocks.at("nvme0n1").wwid == "serial-1");
        CHECK(hidden.blocks.at("dm-0").wwid == "serial-1");
        CHECK(hidden.blocks.at("dm-0").dm_name == "volume-1");
        CHECK(hidden.blocks.at("dm-0").backing_file == "/home/…");
        CHECK(hidden.interfaces[0].name == "enxaddress-1");
        CHECK(hidden.interfaces[0].path == card + "/net/enxaddress-1");
        CHECK(hidden.interfaces[0].address == "address-1");
        CHECK(hidden.users[0].what == Message("quiesce.user_dm", {{"name", "volume-1"}, {"source", "nvme0n1"}}));
        CHECK(hidden.users[1].what ==
              Message("quiesce.user_mount", {{"source", "source-1"}, {"where", "/home/…"}}));
        CHECK(hidden.users[2].what ==
              Message("quiesce.user_mount", {{"source", "/dev/nvme0n1"}, {"where", "/boot/efi"}}));
        const std::string text = to_text({{}, hidden});
        for (const char* secret : {"eui.1", "someone", "vg-root", "525400123456", "52:54", "server"}) {
            CAPTURE(secret);
            CHECK(text.find(secret) == std::string::npos);
        }
    }

    TEST_CASE("the same steps are planned with and without identities") {
        const Plan plain = make_plan(full().inventory, {});
        const Plan hidden = make_plan(without_identities(full().inventory), {});
        CHECK(hidden.steps == plain.steps);
        CHECK(hidden.kept == plain.kept);
        CHECK(hidden.refusals.size() == plain.refusals.size());
    }

    TEST_CASE("an inventory that ends early is refused at each length") {
        const std::string text = to_text(full());
        for (std::size_t length = 0; length + 2 < text.size(); ++length) {
            CAPTURE(length);
            CHECK_FALSE(inventory_from_json(std::string_view(text).substr(0, length)).has_value());
        }
    }

    TEST_CASE("what is no inventory, newer or damaged is refused in words") {
        const std::string head = R"("format":"stillboot-inventory","version":1,"head":{})";
        CHECK(words("{" + head + "}") == "it was read");
        CHECK(words("{" + head + R"(,"later":[1]})") == "it was read");
        CHECK(words("[]") == "it is no recorded inventory (stillboot quiesce record writes one)");
        CHECK(words(R"({"version":1})") == words("[]"));
        CHECK(words(R"({"format":7,"version":1})") == words("[]"));
        CHECK(words(R"({"format":"stillboot-inventory","version":2})") ==
              "the inventory has the format version 2, which a later Stillboot wrote");
        const std::string damaged = "the inventory cannot be read: ";
        for (const char* rest :
             {R"("devices":{})", R"("devices":[1])", R"("devices":[{}])", R"("devices":[{"path":1}])",
              R"("devices":[{"path":"/sys/x","bind_order":-1}])",
              R"("devices":[{"path":"/sys/x","bind_order":1.5}])", R"("devices":[{"path":"/sys/x","pci":[1]}])",
              R"("devices":[{"path":"/sys/x","pci":[1,65536,1]}])", R"("blocks":[{"name":{}}])",
              R"("users":[{"code":"x"}])", R"("users":[{"code":"x","parameters":[["a"]]}])", R"("autoprobe":[])",
              R"("interfaces":[{}])", R"("graphics_holder":1)"}) {
            CAPTURE(rest);
            CHECK(words("{" + head + "," + rest + "}").starts_with(damaged));
        }
        for (const char* rest :
             {R"("devices":[{"path":"/etc/x"}])", R"("devices":[{"path":""}])",
              R"("devices":[{"path":"/sys/x","physical_function":"x"}])",
              R"("devices":[{"path":"/sys/x","suppliers":["/sys/y","x"]}])",
              R"("blocks":[{"name":"a","path":"x"}])", R"("blocks":[{"name":"a","carriers":["x"]}])",
              R"("interfaces":[{"name":"a","path":"x"}])", R"("consoles":[{"name":"a","path":"x"}])",
              R"("users":[{"code":"x","parameters":[],"needs":["x"]}])"}) {
            CAPTURE(rest);
            CHECK(words("{" + head + "," + rest + "}") == damaged + "a path that does not lie below /sys");
        }
        CHECK(words("{" + head + R"(,"devices":[{"path":"/sys/x"},{"path":"/sys/x"}]})") ==
              damaged + "a device stands in it twice");
        CHECK(words(std::string(20, '[') + std::string(20, ']')).starts_with(damaged));
    }

    TEST_CASE("an inventory beyond its bounds is refused by what there is too much of") {
        const std::string head = R"({"format":"stillboot-inventory","version":1,"head":{})";
        const auto many = [](const std::string& item, std::size_t count) {
            std::string text = "[" + item;
            for (std::size_t i = 1; i < count; ++i) {
                text += "," + item;
            }
            return text + "]";
        };
        CHECK(words(head + R"(,"consoles":)" + many("{}", RecordedInventory::max_devices) + "}") == "it was read");
        CHECK(words(head + R"(,"consoles":)" + many("{}", RecordedInventory::max_devices + 1) + "}") ==
              "the inventory holds more than 65536 consoles");
        CHECK(words(head + R"(,"blocks":[{"name":"a","stands_on":)" +
                    many("\"\"", RecordedInventory::max_links + 1) + "}]}") ==
              "the inventory holds more than 262144 links");
        CHECK(words(head + R"(,"consoles":[{"name":")" + std::string(RecordedInventory::max_text + 1, 'x') +
                    "\"}]}") == "the inventory holds more than 4096 bytes in a text");
        CHECK(words(std::string(RecordedInventory::max_bytes + 1, ' ')) ==
              "the inventory holds more than 33554432 bytes");
    }

    TEST_CASE("the head says when, and on which kernel") {
        const InventoryHead head = head_of_this_machine(1'795'437'600);
        CHECK(head.recorded == "2026-11-23T12:40:00Z");
        CHECK(head.stillboot == STILLBOOT_VERSION);
        CHECK(head.kernel != "");
        CHECK(head.machine != "");
    }
}
