// SPDX-License-Identifier: Apache-2.0
// References: whose disk they lead to, what they wait for, and what is said twice.
#include "config/resolve/resolve.hpp"

#include <doctest/doctest.h>

using namespace stillboot;
using Kind = DeviceRef::Kind;

namespace {

DeviceId device(const std::string& id, const std::string& disk, const std::string& uuid,
                const std::string& label = "") {
    DeviceId out;
    out.id = id;
    out.node = "/dev/" + id;
    out.disk = disk;
    out.uuid = uuid;
    out.label = label;
    return out;
}

/// Two copies of one disk, each with an ESP and a root, and a third disk of another kind.
std::vector<DeviceId> two_copies() {
    return {device("a1", "a", "E5E5-0001"), device("a2", "a", "rrrr"), device("b1", "b", "E5E5-0001"),
            device("b2", "b", "rrrr"), device("c1", "c", "cccc", "DATA")};
}

BootOption option(const std::string& device_id, Resource kernel) {
    BootOption out;
    out.device_id = device_id;
    out.title = "Linux";
    out.args = "quiet";
    out.kernel = std::move(kernel);
    return out;
}

Resource at(DeviceRef reference, const std::string& path) {
    Resource out;
    out.device = std::move(reference);
    out.path = path;
    return out;
}

}  // namespace

TEST_SUITE("resolve") {
    TEST_CASE("a reference goes to the own device, then the own disk, then anywhere") {
        const auto devices = two_copies();
        struct Row {
            const char* name;
            DeviceRef reference;
            std::size_t own;
            const char* expected;
        };
        const Row rows[] = {
            {"self", {}, 0, "a1"},
            {"own UUID although a copy has it too", {Kind::uuid, "rrrr"}, 3, "b2"},
            {"own disk A", {Kind::uuid, "rrrr"}, 0, "a2"},
            {"own disk B", {Kind::uuid, "RRRR"}, 2, "b2"},
            {"another disk", {Kind::label, "DATA"}, 0, "c1"},
            {"by id", {Kind::id, "b2"}, 0, "b2"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto found = resolve_device(row.reference, devices[row.own], devices);
            REQUIRE(found.has_value());
            CHECK((*found)->id == row.expected);
        }
    }

    TEST_CASE("what fits several equally well is never guessed") {
        auto devices = two_copies();
        CHECK(resolve_device({Kind::uuid, "rrrr"}, devices[4], devices).error().sentence() ==
              "several devices carry uuid rrrr: none of them is taken");
        devices.push_back(device("a3", "a", "rrrr"));
        CHECK(resolve_device({Kind::uuid, "rrrr"}, devices[0], devices).error().code() ==
              "config.device_ambiguous");
    }

    TEST_CASE("devices whose disk is unknown are not on one disk") {
        const std::vector<DeviceId> devices = {device("x", "", "xxxx"), device("y", "", "yyyy"),
                                               device("z", "", "yyyy")};
        CHECK(resolve_device({Kind::uuid, "yyyy"}, devices[0], devices).error().code() ==
              "config.device_ambiguous");
    }

    TEST_CASE("a device that is not there is named") {
        const auto devices = two_copies();
        CHECK(resolve_device({Kind::uuid, "zzzz"}, devices[0], devices).error().sentence() ==
              "no device with uuid zzzz is present");
        CHECK(resolve_device({Kind::label, ""}, devices[0], devices).error().code() == "config.device_missing");
    }

    TEST_CASE("an option is ready when each of its files has a device") {
        const auto devices = two_copies();
        BootOption entry = option("a1", at({Kind::uuid, "rrrr"}, "/vmlinuz"));
        entry.initrds = {at({}, "/microcode"), at({Kind::label, "DATA"}, "/initrd")};
        entry.devicetree = at({Kind::uuid, "cccc"}, "/board.dtb");
        auto resolved = resolve_option(entry, devices[0], devices);
        REQUIRE(resolved.has_value());
        CHECK(resolved->kernel == ResolvedFile{"a2", "/dev/a2", "/vmlinuz", ""});
        CHECK(resolved->initrds[0] == ResolvedFile{"a1", "/dev/a1", "/microcode", ""});
        CHECK(resolved->initrds[1] == ResolvedFile{"c1", "/dev/c1", "/initrd", ""});
        CHECK(resolved->devicetree == ResolvedFile{"c1", "/dev/c1", "/board.dtb", ""});

        entry.kernel = Resource();
        entry.kernel.url = "http://example.org/k";
        CHECK(resolve_option(entry, devices[0], devices)->kernel ==
              ResolvedFile{"", "", "", "http://example.org/k"});
    }

    TEST_CASE("an option waits for whichever of its files has no device") {
        const auto devices = two_copies();
        const Resource lost = at({Kind::uuid, "zzzz"}, "/x");
        BootOption entry = option("a1", lost);
        CHECK(resolve_option(entry, devices[0], devices).error().code() == "config.device_missing");
        entry.kernel = at({}, "/k");
        entry.initrds = {at({}, "/i"), lost};
        CHECK(resolve_option(entry, devices[0], devices).error().code() == "config.device_missing");
        entry.initrds.clear();
        entry.devicetree = lost;
        CHECK(resolve_option(entry, devices[0], devices).error().code() == "config.device_missing");
    }

    TEST_CASE("what a stub on another device says again is found, and only that") {
        const auto devices = two_copies();
        const BootOption stub = option("a1", at({Kind::uuid, "rrrr"}, "/k"));
        const BootOption real = option("a2", at({}, "/k"));
        const BootOption copy_stub = option("b1", at({Kind::uuid, "rrrr"}, "/k"));
        BootOption other_args = stub;
        other_args.args = "single";
        BootOption other_title = stub;
        other_title.title = "Other";
        const BootOption waiting = option("a1", at({Kind::uuid, "zzzz"}, "/k"));
        std::vector<ListedOption> listed;
        for (const auto& [entry, own] : {std::pair(&stub, 0U),
                                         {&real, 1U},
                                         {&copy_stub, 2U},
                                         {&other_args, 0U},
                                         {&other_title, 0U},
                                         {&waiting, 0U}}) {
            ListedOption each;
            each.option = entry;
            if (auto files = resolve_option(*entry, devices[own], devices)) {
                each.files = *files;
            }
            listed.push_back(std::move(each));
        }
        CHECK(find_repeated_options(listed) == std::vector<bool>{true, false, false, false, false, false});
    }
}
