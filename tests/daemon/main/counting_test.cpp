// SPDX-License-Identifier: Apache-2.0
// Entries that count their tries: what a boot is told of their files, and what comes behind when none is left.
#include "tests/daemon/main/core_fixture.hpp"

using namespace stillboot;
using namespace stillboot::test;

namespace {

struct Fixture : CoreFixture {
    Fixture() {
        registry::DeviceRecord record;
        record.identity.id = "pci-2";
        record.identity.node = "/dev/nvme0n1p1";
        record.identity.uuid = "ABCD-0123";
        record.identity.partuuid = "1234-5";
        record.filesystem = "vfat";
        registry.put_device(record);
    }
    void show(std::vector<BootOption> options) {
        ScanResult result;
        result.finding = std::move(options);
        registry.set_result("pci-2", result);
        registry.set_result("pci-1", ScanResult());
        core.on_registry_change();
    }
    static BootOption entry(const std::string& name, std::optional<BootTries> tries, bool is_default = false) {
        BootOption made;
        made.id = "pci-2/bls/" + name;
        made.title = name;
        made.device_id = "pci-2";
        made.kernel.path = "/vmlinuz";
        made.tries = tries;
        made.is_default = is_default;
        made.source = Source{"bls", "/loader/entries/" + name + "+3.conf", 1};
        return made;
    }
};

}  // namespace

TEST_SUITE("core") {
    TEST_CASE_FIXTURE(Fixture,
                      "a boot knows the file of an entry that counts, and its device by PARTUUID, else UUID") {
        show({entry("a", BootTries{3, 0}), entry("b", std::nullopt)});
        (void)call("Boot", {{"option", "a"}});
        REQUIRE(booter.requests.size() == 1);
        const auto file = booter.requests[0].entry_file;
        REQUIRE(file);
        CHECK(file->node == "/dev/nvme0n1p1");
        CHECK(file->device == DeviceRef{DeviceRef::Kind::partuuid, "1234-5"});
        CHECK(file->filesystem == "vfat");
        CHECK(file->path() == "/loader/entries/a+3.conf");
        CHECK(booter.requests[0].must_record == handover::MustRecord::nothing);  // a person wants it
        booter.events.on_failed(Error("handover.cancelled"));

        (void)call("Boot", {{"option", "b"}});
        CHECK_FALSE(booter.requests.at(1).entry_file);
        booter.events.on_failed(Error("handover.cancelled"));

        registry::DeviceRecord record = *registry.device("pci-2");
        record.identity.partuuid.clear();
        registry.put_device(record);
        (void)call("Boot", {{"option", "a"}});
        CHECK(booter.requests.at(2).entry_file->device == DeviceRef{DeviceRef::Kind::uuid, "ABCD-0123"});
        booter.events.on_failed(Error("handover.cancelled"));
        record.identity.uuid.clear();
        registry.put_device(record);
        (void)call("Boot", {{"option", "a"}});
        CHECK(booter.requests.at(3).entry_file->device.is_self());
    }

    TEST_CASE_FIXTURE(
        Fixture, "an entry without a try left is passed over, the state says so, and a person may choose it") {
        show({entry("good", std::nullopt, true), entry("bad", BootTries{0, 3})});
        settings.set("boot", "id=*", false, [](const Result<void>& set) { REQUIRE(set); });
        core.on_settled(true);
        const auto state = core.state();
        CHECK(state.would_boot == "pci-2/bls/good");
        REQUIRE(state.beaten.size() == 1);
        CHECK(state.beaten[0].title == "bad");
        CHECK(state.beaten[0].by.sentence() == "what is left where nothing else is: it has no try left after 3");
        (void)call("Boot", {{"option", "bad"}});
        CHECK(booter.requests.at(0).option_id == "pci-2/bls/bad");
    }

    TEST_CASE_FIXTURE(
        Fixture, "by itself an entry must be counted while there is something else, and not when it is the last") {
        show({entry("first", BootTries{3, 0}), entry("second", BootTries{3, 0})});
        settings.set("boot", "id=*", false, [](const Result<void>& set) { REQUIRE(set); });
        settings.set("timeout", "0", false, [](const Result<void>& set) { REQUIRE(set); });
        core.on_settled(true);
        REQUIRE(booter.requests.size() == 1);
        CHECK(booter.requests[0].option_id == "pci-2/bls/first");
        CHECK(booter.requests[0].must_record == handover::MustRecord::count);
        booter.events.on_failed(Error("handover.cannot_count", {{"title", "first"}, {"reason", "x"}}));
        REQUIRE(booter.requests.size() == 2);
        CHECK(booter.requests[1].option_id == "pci-2/bls/second");
        CHECK(booter.requests[1].must_record == handover::MustRecord::nothing);
    }

    TEST_CASE_FIXTURE(Fixture, "what was chosen for once is booted also where it cannot be counted") {
        show({entry("first", BootTries{3, 0}), entry("second", std::nullopt, true)});
        settings.set("timeout", "0", false, [](const Result<void>& set) { REQUIRE(set); });
        handover::Past past;
        past.choices = handover::Choices{std::nullopt, handover::Choice{"pci-2/bls/first", "first"}};
        core.on_past(past);
        core.on_settled(true);
        REQUIRE(booter.requests.size() == 1);
        CHECK(booter.requests[0].option_id == "pci-2/bls/first");
        CHECK(booter.requests[0].must_record == handover::MustRecord::choice);
    }
}
