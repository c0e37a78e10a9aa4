// SPDX-License-Identifier: Apache-2.0
#include "quiesce/verify.hpp"

#include <doctest/doctest.h>

#include "quiesce/pci_config.hpp"
#include "tests/quiesce/fake_machine.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::quiesce::test::FakeMachine;
using stillboot::quiesce::test::FakeWorld;

namespace {

const std::string slot1 = "/sys/devices/pci0000:00/0000:00:01.0";

void put16(std::string& bytes, std::size_t offset, unsigned value) {
    bytes[offset] = static_cast<char>(value & 0xff);
    bytes[offset + 1] = static_cast<char>(value >> 8);
}

/// MSI at 40h, PCIe at 50h, MSI-X at 60h.
std::string with_capabilities(unsigned msi, unsigned device_status, unsigned msix, unsigned char command = 0) {
    std::string bytes = FakeMachine::config(command);
    put16(bytes, 6, 0x10);
    bytes[0x34] = 0x40;
    put16(bytes, 0x40, 0x5005);
    put16(bytes, 0x42, msi);
    put16(bytes, 0x50, 0x6010);
    put16(bytes, 0x5a, device_status);
    put16(bytes, 0x60, 0x0011);
    put16(bytes, 0x62, msix);
    return bytes;
}

std::string verdict_of(const Verification& verification) {
    REQUIRE(verification.verdicts.size() == 1);
    const auto& verdict = verification.verdicts.front();
    return std::string(to_word(verdict.rest)) + ": " + verdict.why.sentence();
}

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("each enable bit is read from its own place") {
        CHECK(parse_pci_config(with_capabilities(0, 0, 0)).quiet());
        CHECK(parse_pci_config(with_capabilities(0, 0, 0, 4)).bus_master);
        CHECK(parse_pci_config(with_capabilities(1, 0, 0)).msi);
        CHECK(parse_pci_config(with_capabilities(0, 0x20, 0)).pending);
        CHECK(parse_pci_config(with_capabilities(0, 0, 0x8000)).msix);
        CHECK(parse_pci_config(with_capabilities(0xfffe, 0xffdf, 0x7fff, 0xfb)).quiet());
    }

    TEST_CASE("a configuration space of any length is read without harm") {
        const std::string whole = with_capabilities(1, 0x20, 0x8000, 4);
        for (std::size_t length = 0; length <= whole.size(); ++length) {
            const PciState state = parse_pci_config(std::string_view(whole).substr(0, length));
            CHECK(state.answers == (length >= 64));
        }
        CHECK_FALSE(parse_pci_config(std::string(256, '\xff')).answers);
        CHECK_FALSE(parse_pci_config(std::string(256, '\0')).answers);
    }

    TEST_CASE("a capability list that loops or leaves its area is damaged, and the walk ends") {
        struct Row {
            const char* name;
            unsigned char first;
            unsigned char next;
            bool damaged;
        };
        for (const auto& row : {Row{"to itself", 0x40, 0x40, true}, Row{"into the header", 0x40, 0x10, true},
                                Row{"starts in the header", 0x04, 0, true}, Row{"at the very end", 0xfc, 0, false},
                                Row{"low bits are reserved", 0x43, 0x03, false}, Row{"empty", 0, 0, false}}) {
            CAPTURE(row.name);
            std::string bytes = FakeMachine::config();
            put16(bytes, 6, 0x10);
            bytes[0x34] = static_cast<char>(row.first);
            bytes[(row.first & 0xfc) + 1U] = static_cast<char>(row.next);
            CHECK(parse_pci_config(bytes).damaged == row.damaged);
        }
        std::string ring = with_capabilities(0, 0, 0);
        ring[0x61] = 0x40;
        CHECK(parse_pci_config(ring).damaged);
    }

    TEST_CASE("an endpoint at rest is still") {
        FakeWorld world;
        world.machine.pci(slot1, "0x020000");
        CHECK(verdict_of(verify(world.ports(), {}).value()) ==
              "still: it has no driver, and nothing of it is enabled");
        CHECK(world.journal.lines.empty());
    }

    TEST_CASE("what the plan keeps is kept, what is bound besides is moving") {
        FakeWorld world;
        world.machine.pci(slot1, "0x010601", "ahci");
        world.machine.file(slot1 + "/config", FakeMachine::config(4));
        const Plan plan = make_plan(world.machine.inventory(), {});
        const auto kept = verify(world.ports(), plan).value();
        CHECK(kept.at_rest());
        CHECK(kept.count(Rest::kept) == 1);
        CHECK(verdict_of(verify(world.ports(), {}).value()) == "moving: ahci is still bound to it");
    }

    TEST_CASE("a driverless function that masters the bus is stopped through its command register and contained") {
        FakeWorld world;
        world.machine.pci(slot1, "0x020000");
        world.machine.file(slot1 + "/config", with_capabilities(1, 0, 0x8000, 7));
        CHECK_FALSE(look(world.machine.root(), {}).value().at_rest());
        CHECK(verdict_of(verify(world.ports(), {}).value()) ==
              "contained: its bus mastering was left on without a driver and is off now");
        CHECK(world.journal.lines ==
              std::vector<std::string>{"stop the bus mastering of 0000:00:01.0, which has no driver"});
        const auto state = parse_pci_config(world.machine.root().read_file(slot1 + "/config", 4096).value());
        CHECK(state.quiet());
        CHECK(world.machine.text(slot1 + "/enable") == "0");
    }

    TEST_CASE("a driverless function that a rule keeps is neither stopped nor counted as moving: an IOMMU") {
        FakeWorld world;
        world.machine.pci(slot1, "0x080600");
        world.machine.file(slot1 + "/config", with_capabilities(1, 0, 0, 6));
        const Plan plan = make_plan(world.machine.inventory(), {});
        CHECK(plan.text() ==
              std::vector<std::string>{"keep 0000:00:01.0 (pci, no driver): an IOMMU: it holds other "
                                       "devices in check [iommu]"});
        const auto verification = verify(world.ports(), plan).value();
        CHECK(verdict_of(verification) == "kept: an IOMMU: it holds other devices in check");
        CHECK(world.journal.lines.empty());
        CHECK(world.machine.root().read_file(slot1 + "/config", 4096).value() == with_capabilities(1, 0, 0, 6));
        Policy by_name;
        by_name.keep = {"0000:00:01.0"};
        by_name.rules.clear();
        CHECK(make_plan(world.machine.inventory(), by_name).kept.size() == 1);
    }

    TEST_CASE("a configuration space that cannot be read, or whose beginning alone can, is not taken for quiet") {
        FakeWorld world;
        world.machine.pci(slot1, "0x020000");
        for (const bool there : {true, false}) {
            std::filesystem::remove(world.machine.real(slot1 + "/config"));
            if (there) {
                world.machine.file(slot1 + "/config", with_capabilities(1, 0, 0).substr(0, 64));
            }
            CHECK(
                verdict_of(verify(world.ports(), {}).value()) ==
                "moving: its config space cannot be read whole, so that nothing is known of it (others than root "
                "see its beginning)");
        }
    }

    TEST_CASE("what moves is named, bit by bit") {
        FakeWorld world;
        world.machine.pci(slot1, "0x020000");
        world.machine.file(slot1 + "/config", with_capabilities(1, 0x20, 0x8000, 4));
        CHECK(verdict_of(look(world.machine.root(), {}).value()) ==
              "moving: it has no driver but still: bus mastering, MSI, MSI-X, transactions pending");
    }

    TEST_CASE("pending transactions are waited for, and named when they stay") {
        FakeWorld world;
        world.machine.pci(slot1, "0x020000");
        world.machine.file(slot1 + "/config", with_capabilities(0, 0x20, 0));
        CHECK(verdict_of(verify(world.ports(), {}).value()) ==
              "moving: it has no driver but still: transactions pending");
        int waits = 0;
        world.time.on_wait = [&] {
            if (++waits == 3) {
                world.machine.file(slot1 + "/config", with_capabilities(0, 0, 0));
            }
        };
        CHECK(verify(world.ports(), {}).value().at_rest());
        CHECK(waits == 3);
    }

    TEST_CASE("bridges are neither judged nor touched") {
        FakeWorld world;
        world.machine.pci(slot1, "0x060400");
        world.machine.file(slot1 + "/config", FakeMachine::config(7, 1));
        world.machine.pci("/sys/devices/pci0000:00/0000:00:1f.0", "0x060100");
        world.machine.file("/sys/devices/pci0000:00/0000:00:1f.0/config", FakeMachine::config(7, 0));
        CHECK(verify(world.ports(), {}).value().verdicts.empty());
        CHECK(world.machine.root().read_file(slot1 + "/config", 4096).value() == FakeMachine::config(7, 1));
    }

    TEST_CASE("one that does not answer is contained, and a damaged list too") {
        FakeWorld world;
        world.machine.pci(slot1, "0x020000");
        world.machine.file(slot1 + "/config", std::string(256, '\xff'));
        CHECK(verdict_of(verify(world.ports(), {}).value()) == "contained: it does not answer");
        std::string damaged = with_capabilities(0, 0, 0);
        damaged[0x61] = 0x40;
        world.machine.file(slot1 + "/config", damaged);
        CHECK(verdict_of(verify(world.ports(), {}).value()) ==
              "contained: its bus mastering is off, but its list of capabilities is damaged");
    }

    TEST_CASE("a machine without PCI has no endpoint") {
        FakeWorld world;
        CHECK(verify(world.ports(), {}).value().verdicts.empty());
    }
}
