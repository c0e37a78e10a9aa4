// SPDX-License-Identifier: Apache-2.0
// Boots that differ from what a configuration says.
#include <doctest/doctest.h>

#include "tests/daemon/main/core_fixture.hpp"

using namespace stillboot;

namespace {

struct Fixture : test::CoreFixture {
    Fixture() {
        registry::DeviceRecord record;
        record.identity.id = "usb-0:1";
        record.identity.node = "/dev/sdb1";
        record.identity.label = "TOOLS";
        record.identity.uuid = "ab-12";
        registry.put_device(record);
    }
    // The request that a call leads to.
    handover::Request requested(boost::json::object asked) {
        const auto replier = call("Boot", std::move(asked));
        CAPTURE(sentence_or_none(*replier));
        REQUIRE(booter.requests.size() == 1);
        return booter.requests.back();
    }
    static std::string sentence_or_none(const test::FakeReplier& replier) {
        return replier.replies.back().error.empty() ? "" : sentence(replier);
    }
};

}  // namespace

TEST_SUITE("boot") {
    TEST_CASE_FIXTURE(Fixture, "initrds are loaded behind the option's own, from its device or another") {
        const auto request =
            requested({{"option", "a"}, {"initrds", {"/more", "label=TOOLS:/tools.img", "/dev/sdb1:/x"}}});
        REQUIRE(request.initrds.size() == 4);
        CHECK(request.initrds[0].path == "/initrd");
        CHECK(request.initrds[1].path == "/more");
        CHECK(request.initrds[1].node == "/dev/vda1");
        CHECK(request.initrds[2].path == "/tools.img");
        CHECK(request.initrds[2].node == "/dev/sdb1");
        CHECK(request.initrds[3].node == "/dev/sdb1");
    }

    TEST_CASE_FIXTURE(Fixture, "a devicetree is loaded in place of the option's own") {
        const auto request = requested({{"option", "a"}, {"devicetree", "usb-0:1:/board.dtb"}});
        REQUIRE(request.devicetree);
        CHECK(request.devicetree->path == "/board.dtb");
        CHECK(request.devicetree->node == "/dev/sdb1");
    }

    TEST_CASE_FIXTURE(Fixture, "a kernel that no configuration names is booted from its device") {
        const auto request = requested({{"kernel", "uuid=AB-12:/vmlinuz"},
                                        {"initrds", {"/initrd.img"}},
                                        {"args", "root=2"},
                                        {"append", "quiet"}});
        CHECK(request.option_id == "usb-0:1:/vmlinuz");
        CHECK(request.title == "/vmlinuz");
        CHECK(request.kernel.node == "/dev/sdb1");
        REQUIRE(request.initrds.size() == 1);
        CHECK(request.initrds[0].node == "/dev/sdb1");
        CHECK(request.command_line == "root=2 quiet");
        CHECK(core.state().phase == protocol::Phase::handover);
    }

    TEST_CASE_FIXTURE(Fixture, "such a kernel is tried again after a restart, with all that it was booted with") {
        handover::Past past;
        past.retry = handover::Retry{"usb-0:1:/vmlinuz", "/vmlinuz", "root=2 quiet", {}, 2, {}};
        past.retry->overrides.initrds = {"/initrd.img"};
        policy = policy::Policy(std::chrono::seconds(0));
        core.on_past(past);
        core.on_settled(true);
        REQUIRE(booter.requests.size() == 1);
        const auto& request = booter.requests.front();
        CHECK(request.option_id == "usb-0:1:/vmlinuz");
        CHECK(request.kernel.node == "/dev/sdb1");
        REQUIRE(request.initrds.size() == 1);
        CHECK(request.initrds[0].node == "/dev/sdb1");
        CHECK(request.command_line == "root=2 quiet");
        CHECK(request.attempt == 2);
    }

    TEST_CASE_FIXTURE(Fixture, "a kernel that is no more on any device is not tried again, and that is said") {
        handover::Past past;
        past.retry = handover::Retry{"gone:/vmlinuz", "/vmlinuz", "", {}, 2, {}};
        core.on_past(past);
        core.on_settled(true);
        CHECK_FALSE(core.state().would_boot);
        CHECK(booter.requests.empty());
        REQUIRE(core.state().notices.size() == 1);
        CHECK(core.state().notices.front().code() == "daemon.retry_gone");
    }

    TEST_CASE_FIXTURE(Fixture, "what names no file or no device is refused in words, and nothing is booted") {
        struct Row {
            boost::json::object asked;
            const char* told;
        };
        const Row rows[] = {
            {{{"kernel", "/vmlinuz"}}, "the kernel /vmlinuz needs the device that it is on"},
            {{{"kernel", "vmlinuz"}}, "vmlinuz names no file here"},
            {{{"kernel", ":/vmlinuz"}}, ":/vmlinuz names no file here"},
            {{{"kernel", "label=NONE:/vmlinuz"}}, "NONE"},
            {{{"option", "a"}, {"initrds", {"nothing"}}}, "nothing names no file here"},
            {{{"option", "a"}, {"initrds", {"/"}}}, "/ names no file here"},
            {{{"option", "a"}, {"initrds", {"nodevice:/x"}}}, "nodevice"},
            {{{"option", "a"}, {"devicetree", "x\ny:/z"}}, "names no file here"},
            {{{"option", "a"}, {"devicetree", std::string(5000, 'x') + ":/z"}}, "names no file here"},
            {{{"option", "a"}, {"kernel", "usb-0:1:/x"}}, "one of both is to be booted"},
            {{{"append", "x"}}, "one of both is to be booted"},
        };
        for (const Row& row : rows) {
            const auto replier = call("Boot", row.asked);
            CAPTURE(sentence(*replier));
            CHECK(replier->replies.at(0).error == "io.stillboot.Refused");
            CHECK(sentence(*replier).find(row.told) != std::string::npos);
        }
        CHECK(booter.requests.empty());
    }

    TEST_CASE_FIXTURE(Fixture,
                      "the devices' plan comes from the booter; during a hand-over it is the option's turn") {
        const auto reply = call("GetQuiescePlan", {}, false, test::user_peer)->replies.at(0);
        CHECK(reply.parameters.at("plan").at("notes").at(0).at("code") == "handover.no_store");
        booter.cannot_choose = true;
        CHECK(sentence(*call("GetQuiescePlan")).find("another hand-over is under way") != std::string::npos);
        call("Boot", {{"option", "a"}});
        CHECK(call("GetQuiescePlan")->replies.at(0).error == "io.stillboot.Busy");
    }

    TEST_CASE_FIXTURE(Fixture, "a file is added to its device, and the ids of its options are told") {
        NamedFile file;
        file.options = {"pci-1/grub/x"};
        file.diagnostics = {
            {Severity::warning, "/x.cfg", 1, 2, Message("config.named_nothing", {{"path", "/y"}})}};
        comes_of_named = file;
        const auto reply = call("AddConfiguration", {{"path", "/dev/vda1:/x.cfg"}})->replies.at(0);
        CHECK(named == std::vector<std::string>{"pci-1:/x.cfg"});
        CHECK(reply.parameters.at("options").at(0) == "pci-1/grub/x");
        CHECK(reply.parameters.at("diagnostics").at(0).at("column") == 2);
    }

    TEST_CASE_FIXTURE(Fixture, "what cannot be added says why, typed where that is not there") {
        struct Row {
            const char* path;
            const char* error;
            const char* told;
        };
        const Row rows[] = {
            {"/x.cfg", "io.stillboot.Refused", "/x.cfg needs the device that it is on: DEVICE:/x.cfg"},
            {"x", "io.stillboot.Refused", "x names no file here"},
            {"none:/x.cfg", "io.stillboot.NotFound", "none:/x.cfg"},
            {"pci-1:/x", "io.stillboot.Refused", "/x holds nothing that can be booted here"},
            {"http://h/x", "io.stillboot.NotInThisBuild", "fetching http://h/x is not in this build"},
        };
        for (const Row& row : rows) {
            const auto replier = call("AddConfiguration", {{"path", row.path}});
            CAPTURE(sentence(*replier));
            CHECK(replier->replies.at(0).error == row.error);
            CHECK(sentence(*replier).find(row.told) != std::string::npos);
        }
        comes_of_named = Error("config.file_missing", {{"path", "/y"}, {"device", "pci-1"}});
        CHECK(call("AddConfiguration", {{"path", "pci-1:/y"}})->replies.at(0).error == "io.stillboot.NotFound");
        named.clear();
        call("Boot", {{"option", "a"}});
        CHECK(call("AddConfiguration", {{"path", "pci-1:/x"}})->replies.at(0).error == "io.stillboot.Busy");
        CHECK(named.empty());
    }

    TEST_CASE_FIXTURE(Fixture, "what has its place alone says so in words, and its parameters are read") {
        CHECK(sentence(*call("OpenDevice", {{"device", "pci-1"}, {"passphrase", "x"}})) ==
              "opening encrypted devices is not in this build");
        CHECK(sentence(*call("WaitForNetwork", {{"deadline_ms", 1000}})) ==
              "waiting for a network is not in this build");
        CHECK(call("OpenDevice")->replies.at(0).error == "org.varlink.service.InvalidParameter");
        CHECK(sentence(*call("Boot", {{"kernel", "tftp://h/k"}})) == "fetching tftp://h/k is not in this build");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "who waits for the boot gets a last reply before the devices go, and nothing more") {
        const auto waits = call("Boot", {{"option", "a"}}, true);
        handover::Event event;
        event.step = handover::Step::take_down;
        booter.events.on_event(event);
        REQUIRE(core.leave_boot_callers().size() == 1);
        const auto last = waits->replies.back();
        CHECK_FALSE(last.continues);
        CHECK(last.error == "");
        CHECK(last.parameters.at("option") == "pci-1/grub/a");
        CHECK(last.parameters.at("progress").at("step") == "take-down");
        const std::size_t count = waits->replies.size();
        booter.events.on_failed(Error("handover.cancelled"));
        CHECK(waits->replies.size() == count);
        CHECK(core.leave_boot_callers().empty());
    }

    TEST_CASE_FIXTURE(Fixture, "a URL is not in this build") {
        for (const boost::json::object& asked :
             {boost::json::object{{"kernel", "https://example.org/vmlinuz"}},
              boost::json::object{{"option", "a"}, {"initrds", {"tftp://192.0.2.1/initrd"}}}}) {
            CHECK(call("Boot", asked)->replies.at(0).error == "io.stillboot.NotInThisBuild");
        }
        CHECK(booter.requests.empty());
    }
}
