// SPDX-License-Identifier: Apache-2.0
#include "daemon/registry/registry.hpp"

#include <doctest/doctest.h>

#include "daemon/registry/order.hpp"

using namespace stillboot::registry;
using stillboot::BootOption;
using stillboot::DeviceRef;
using stillboot::Message;
using stillboot::ScanResult;
using stillboot::protocol::DeviceState;
using stillboot::protocol::Option;
using stillboot::protocol::OptionState;

namespace {

const std::vector<std::string> usual = {"internal", "removable"};

DeviceRecord device(std::string id, std::string uuid, bool removable = false) {
    DeviceRecord record;
    record.identity.id = std::move(id);
    record.identity.node = "/dev/" + record.identity.id;
    record.identity.uuid = std::move(uuid);
    record.identity.disk = record.identity.id.substr(0, record.identity.id.find("-part"));
    record.removable = removable;
    return record;
}

BootOption option(const std::string& device_id, const std::string& name, DeviceRef kernel_device = {}) {
    BootOption made;
    made.id = device_id + "/grub/" + name;
    made.title = name;
    made.device_id = device_id;
    made.kernel = {"/vmlinuz", std::move(kernel_device), "", ""};
    return made;
}

BootOption by_default(BootOption option) {
    option.is_default = true;
    return option;
}

ScanResult found(std::vector<BootOption> options) {
    ScanResult result;
    result.finding = std::move(options);
    return result;
}

std::vector<std::string> titles(const Registry& registry) {
    std::vector<std::string> out;
    for (const auto& each : registry.options()) {
        out.push_back(each.title);
    }
    return out;
}

const Option& only(const Registry& registry, std::string_view what) {
    return *std::get<const Option*>(registry.find(what));
}

}  // namespace

TEST_SUITE("registry") {
    TEST_CASE("numbers in ids sort by value") {
        CHECK(natural_key("nvme-2") < natural_key("nvme-10"));
        CHECK(natural_key("a9b") < natural_key("a10a"));
        CHECK(natural_key("a007") == natural_key("a7"));
        CHECK(natural_key("a0") < natural_key("a1"));
        CHECK(natural_key("part9") < natural_key("part10"));
        CHECK(natural_key("").empty());
    }

    TEST_CASE("the order is the setting's, then internal before removable, then the path") {
        struct Row {
            std::string_view name;
            std::vector<std::string> order;
            std::vector<std::string> expected;
        };
        const Row rows[] = {
            {"default", usual, {"pci-2", "pci-10", "usb-1"}},
            {"removable first", {"removable", "internal"}, {"usb-1", "pci-2", "pci-10"}},
            {"a glob first", {"pci-10*", "removable"}, {"pci-10", "usb-1", "pci-2"}},
            {"nothing set", {}, {"pci-2", "pci-10", "usb-1"}},
        };
        for (const auto& row : rows) {
            CAPTURE(row.name);
            Registry registry(row.order);
            registry.put_device(device("usb-1", "", true));
            registry.put_device(device("pci-10", ""));
            registry.put_device(device("pci-2", ""));
            std::vector<std::string> ids;
            std::string last;
            for (const auto& each : registry.devices()) {
                ids.push_back(each.id);
                CHECK(last < each.order);
                last = each.order;
            }
            CHECK(ids == row.expected);
        }
    }

    TEST_CASE("another order moves the devices with their options, and that is told") {
        Registry registry(usual);
        registry.put_device(device("usb-1", "", true));
        registry.put_device(device("pci-2", ""));
        (void)registry.take_changes();
        registry.set_order(usual);
        CHECK_FALSE(registry.take_changes());
        registry.set_order({"usb-*", "internal", "removable"});
        CHECK(registry.devices().front().id == "usb-1");
        CHECK(registry.device("pci-2") != nullptr);
        CHECK(registry.resolve({DeviceRef::Kind::id, "usb-1"}, "pci-2").value()->identity.id == "usb-1");
        const auto change = registry.take_changes().value();
        CHECK(change.devices == registry.devices());  // each has another one before or behind it now
        CHECK(change.devices_removed.empty());
        CHECK(change.options.empty());
        registry.remove_device("usb-1");
        CHECK(registry.devices().size() == 1);
    }

    TEST_CASE("the first default does not depend on which disk answered first") {
        for (const bool swapped : {false, true}) {
            Registry registry(usual);
            for (const char* id : {swapped ? "pci-2" : "pci-1", swapped ? "pci-1" : "pci-2"}) {
                registry.put_device(device(id, ""));
                registry.set_result(id, found({by_default(option(id, std::string("of ") + id))}));
            }
            CHECK(registry.defaults().front()->title == "of pci-1");
        }
    }

    TEST_CASE(
        "an option whose kernel is on an absent device waits, and is ready when that comes, and waits again") {
        Registry registry(usual);
        registry.put_device(device("pci-1", "A"));
        registry.set_result("pci-1", found({by_default(option("pci-1", "X", {DeviceRef::Kind::uuid, "B"}))}));
        CHECK(only(registry, "X").state == OptionState::waiting);
        CHECK(only(registry, "X").reason->sentence() == "no device with uuid B is present");
        CHECK(registry.defaults().empty());
        REQUIRE(registry.take_changes());
        registry.put_device(device("pci-2", "B"));
        auto change = registry.take_changes();
        REQUIRE(change->options.size() == 1);
        CHECK(change->options[0].state == OptionState::ready);
        CHECK_FALSE(change->options[0].reason);
        CHECK(registry.defaults().size() == 1);
        registry.remove_device("pci-2");
        change = registry.take_changes();
        CHECK(change->options[0].state == OptionState::waiting);
        CHECK(change->devices_removed == std::vector<std::string>{"pci-2"});
    }

    TEST_CASE("an ambiguous reference is a reason to wait and never a guess") {
        Registry registry(usual);
        registry.put_device(device("pci-1", "A"));
        registry.put_device(device("pci-2", "B"));
        registry.put_device(device("pci-3", "B"));
        registry.set_result("pci-1", found({option("pci-1", "X", {DeviceRef::Kind::uuid, "B"})}));
        CHECK(only(registry, "X").reason->code() == "config.device_ambiguous");
    }

    TEST_CASE("a device that goes takes its options with it") {
        Registry registry(usual);
        registry.put_device(device("pci-1", ""));
        registry.set_result("pci-1", found({option("pci-1", "a"), option("pci-1", "b")}));
        REQUIRE(registry.take_changes());
        registry.remove_device("pci-1");
        const auto change = registry.take_changes();
        CHECK(change->options_removed == std::vector<std::string>{"pci-1/grub/a", "pci-1/grub/b"});
        CHECK(change->devices_removed == std::vector<std::string>{"pci-1"});
        CHECK_FALSE(registry.take_changes());
        CHECK(registry.devices().empty());
    }

    TEST_CASE("a device that goes and comes back before anyone looked is not reported as removed") {
        Registry registry(usual);
        registry.put_device(device("pci-1", ""));
        registry.set_result("pci-1", found({option("pci-1", "a")}));
        REQUIRE(registry.take_changes());
        registry.remove_device("pci-1");
        registry.put_device(device("pci-1", ""));
        registry.set_result("pci-1", found({option("pci-1", "a")}));
        const auto change = registry.take_changes();
        CHECK(change->devices_removed.empty());
        CHECK(change->options_removed.empty());
        CHECK(change->devices.size() == 1);
        CHECK(change->options.size() == 1);
    }

    TEST_CASE("a second scan replaces the options and names those that went") {
        Registry registry(usual);
        registry.put_device(device("pci-1", ""));
        registry.set_result("pci-1", found({option("pci-1", "a"), option("pci-1", "b")}));
        REQUIRE(registry.take_changes());
        registry.set_result("pci-1", found({option("pci-1", "b"), option("pci-1", "c")}));
        CHECK(registry.take_changes()->options_removed == std::vector<std::string>{"pci-1/grub/a"});
        CHECK(titles(registry) == std::vector<std::string>{"b", "c"});
    }

    TEST_CASE("containers, nothing and failures take the options away and say why") {
        Registry registry(usual);
        registry.put_device(device("pci-1", ""));
        const auto state = [&] { return registry.devices().front().state; };
        const auto refill = [&] { registry.set_result("pci-1", found({option("pci-1", "a")})); };
        refill();
        CHECK(state() == DeviceState::found);
        ScanResult container;
        container.finding = stillboot::Container{stillboot::Container::Kind::luks, Message("daemon.no_medium")};
        registry.set_result("pci-1", container);
        CHECK(state() == DeviceState::container);
        refill();
        ScanResult nothing;
        nothing.finding = stillboot::Nothing{Message("daemon.no_medium")};
        registry.set_result("pci-1", nothing);
        CHECK(state() == DeviceState::empty);
        CHECK(registry.devices().front().reason->sentence() == "no medium");
        refill();
        registry.set_failed("pci-1", Message("daemon.no_medium"));
        CHECK(state() == DeviceState::failed);
        CHECK(registry.options().empty());
        registry.set_failed("pci-9", Message("daemon.no_medium"));
        registry.set_result("pci-9", found({}));
        CHECK(registry.devices().size() == 1);
    }

    TEST_CASE(
        "what a stub on another device says again is not listed twice, and comes back when the original goes") {
        Registry registry(usual);
        registry.put_device(device("pci-1-part1", "ESP"));
        registry.put_device(device("pci-1-part2", "ROOT"));
        registry.set_result("pci-1-part1", found({option("pci-1-part1", "X", {DeviceRef::Kind::uuid, "ROOT"})}));
        CHECK(titles(registry).size() == 1);
        REQUIRE(registry.take_changes());
        registry.set_result("pci-1-part2", found({by_default(option("pci-1-part2", "X"))}));
        REQUIRE(registry.options().size() == 1);
        CHECK(registry.options()[0].device_id == "pci-1-part2");
        CHECK(registry.defaults().size() == 1);
        const auto change = registry.take_changes();
        CHECK(change->options_removed == std::vector<std::string>{"pci-1-part1/grub/X"});
        CHECK(change->options.size() == 1);
        registry.set_result("pci-1-part2", found({option("pci-1-part2", "Y")}));
        CHECK(titles(registry) == std::vector<std::string>{"X", "Y"});
    }

    TEST_CASE("the default of a device is the one its configuration names, only if that is ready, and no other") {
        Registry registry(usual);
        registry.put_device(device("pci-1", ""));
        auto named = by_default(option("pci-1", "b"));
        registry.set_result("pci-1", found({option("pci-1", "a"), named}));
        CHECK(registry.defaults().front()->title == "b");
        named.kernel.device = {DeviceRef::Kind::uuid, "absent"};
        registry.set_result("pci-1", found({option("pci-1", "a"), named}));
        CHECK(registry.defaults().empty());
        registry.set_result("pci-1", found({option("pci-1", "a")}));
        CHECK(registry.defaults().empty());
    }

    TEST_CASE("options are found by id, title and path of titles; what fits several is said") {
        Registry registry(usual);
        registry.put_device(device("pci-1", ""));
        auto inner = option("pci-1", "inner");
        inner.title = "Debian";
        inner.submenus = {"Advanced", "More"};
        registry.set_result("pci-1",
                            found({by_default(option("pci-1", "Debian")), inner, option("pci-1", "other")}));
        CHECK(only(registry, "pci-1/grub/inner").title == "Debian");
        CHECK(only(registry, "other").id == "pci-1/grub/other");
        CHECK(only(registry, "Advanced>More>Debian").id == "pci-1/grub/inner");
        const auto found_both = registry.find("Debian");
        CHECK(std::get<Ambiguous>(found_both).candidates ==
              std::vector<std::string>{"pci-1/grub/Debian", "pci-1/grub/inner"});
        CHECK(std::holds_alternative<NotFound>(registry.find("none")));
    }

    TEST_CASE("ids that a scan gives twice are told apart") {
        Registry registry(usual);
        registry.put_device(device("pci-1", ""));
        registry.set_result("pci-1", found({option("pci-1", "a"), option("pci-1", "a"), option("pci-1", "a")}));
        CHECK(registry.options()[1].id == "pci-1/grub/a~2");
        CHECK(registry.options()[2].id == "pci-1/grub/a~3");
        CHECK(registry.options()[2].order == 2);
    }
}
