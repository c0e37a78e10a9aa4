// SPDX-License-Identifier: Apache-2.0
#include "quiesce/jump_report.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::test::TemporaryTree;

namespace {

JumpReport some_report() {
    JumpReport report;
    report.from_boot = "earlier";
    report.unbound = 12;
    report.devices = {{"0000:00:1f.2", "ahci", "kept", "its shutdown is gentler"}};
    report.slowest = {{"0000:00:04.0", "nvme", "done", std::chrono::milliseconds(812)}};
    report.took = std::chrono::milliseconds(1500);
    return report;
}

class SetSource final : public ReportSource {
public:
    std::optional<JumpReport> report;
    std::optional<Error> failure;
    std::string called = "a place";

    [[nodiscard]] std::string name() const override { return called; }
    Result<std::optional<JumpReport>> read() override {
        return failure ? Result<std::optional<JumpReport>>(*failure) : report;
    }
};

struct Started {
    explicit Started(std::string_view type) {
        tree.file("proc/sys/kernel/random/boot_id", "now\n");
        if (!type.empty()) {
            tree.file("proc/sys/kernel/bootloader_type", std::string(type) + "\n");
        }
    }
    [[nodiscard]] std::string found_in(const std::vector<ReportSource*>& sources) {
        const auto found = find_report(sources, root, problems);
        return found ? found->source : "";
    }
    TemporaryTree tree;
    Root root = tree.root();
    std::vector<Message> problems;
};

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("a report reads back as it was written, of each kind") {
        for (const auto kind : {JumpReport::Kind::planned, JumpReport::Kind::done}) {
            JumpReport report = some_report();
            report.kind = kind;
            report.to_boot = "next";
            const auto read = jump_report_from_text(to_text(report));
            REQUIRE(read);
            CHECK(*read == report);
        }
    }

    TEST_CASE("a report that is none is said to be damaged, at each length, and a newer one is told apart") {
        const std::string text = to_text(some_report());
        for (std::size_t length = 0; length + 2 < text.size(); ++length) {
            const auto read = jump_report_from_text(text.substr(0, length));
            REQUIRE(!read);
            CHECK(read.error().code() == "quiesce.report_damaged");
        }
        for (const char* other :
             {"[]", "{}", R"({"format":"1"})", R"({"format":1,"from_boot":"","unbound":1,"devices":[]})",
              R"({"format":1,"from_boot":"x","unbound":-1,"devices":[]})",
              R"({"format":1,"from_boot":"x","unbound":"1","devices":[]})",
              R"({"format":1,"from_boot":"x","unbound":1,"devices":{}})",
              R"({"format":1,"from_boot":7,"unbound":1,"devices":[]})"}) {
            CAPTURE(other);
            CHECK(!jump_report_from_text(other));
        }
        CHECK(jump_report_from_text(R"({"format":1,"from_boot":"x","unbound":1,"devices":[1,{"name":2}]})")
                  ->devices.size() == 2);
        CHECK(jump_report_from_text(R"({"format":2})").error().sentence() ==
              "the report of the last jump was written by a newer version (format 2)");
    }

    TEST_CASE("a plan is reported by how many go and by what is kept") {
        Plan plan;
        plan.steps.resize(3);
        plan.steps[0].action = StepAction::sriov_off;
        Kept kept;
        kept.name = "0000:00:1f.2";
        kept.driver = "ahci";
        kept.reason = Message("quiesce.keep_setting");
        plan.kept = {kept, kept};
        plan.kept[1].follows = true;
        JumpReport expected;
        expected.from_boot = "this";
        expected.unbound = 2;
        expected.devices = {{"0000:00:1f.2", "ahci", "kept", "the settings say so"}};
        CHECK(planned_report(plan, "this") == expected);
    }

    TEST_CASE("what was done is reported by the verdicts that are not still, and by the slowest steps") {
        Verification verification;
        verification.verdicts.resize(2);
        verification.verdicts[1].name = "0000:00:05.0";
        verification.verdicts[1].rest = Rest::contained;
        verification.verdicts[1].why = Message("quiesce.keep_setting");
        std::vector<StepOutcome> outcomes(30);
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            outcomes[i].step.name = std::to_string(i);
            outcomes[i].took = std::chrono::milliseconds(i);
        }
        outcomes[0].end = StepOutcome::End::already_gone;
        const JumpReport report = done_report(verification, outcomes, std::chrono::milliseconds(1200), "this");
        CHECK(report.kind == JumpReport::Kind::done);
        CHECK(report.from_boot == "this");
        CHECK(report.unbound == 29);
        CHECK(report.devices ==
              std::vector<ReportedDevice>{{"0000:00:05.0", "", "contained", "the settings say so"}});
        REQUIRE(report.slowest.size() == 20);
        CHECK(report.slowest.front() == ReportedStep{"29", "", "done", std::chrono::milliseconds(29)});
        CHECK(report.slowest.back().name == "10");
        CHECK(report.took == std::chrono::milliseconds(1200));
    }

    TEST_CASE("the last report in the persistent log counts, wherever the log lies by now") {
        TemporaryTree tree;
        const Root root = tree.root();
        PersistentLog log(root);
        REQUIRE(log.read());
        CHECK(!*log.read());
        JumpReport earlier = some_report();
        earlier.unbound = 1;
        tree.file("var/lib/systemd/pstore/pmsg-ramoops-0", PersistentLog::line_of(earlier) + "\n");
        CHECK((*log.read())->unbound == 1);
        tree.file("sys/fs/pstore/dmesg-ramoops-0", PersistentLog::line_of(earlier) + "\n");
        tree.file("sys/fs/pstore/pmsg-ramoops-0", "of another program\nstillboot: unbind 1/1: x (pci, y)\n" +
                                                      PersistentLog::line_of(earlier) + "\n" +
                                                      PersistentLog::line_of(some_report()) + "\nmore\n");
        CHECK(**log.read() == some_report());
        tree.file("sys/fs/pstore/pmsg-ramoops-0", "stillboot-report {\n");
        CHECK(log.read().error().code() == "quiesce.report_damaged");
    }

    TEST_CASE("a file holds one report, and none is no error") {
        TemporaryTree tree;
        const Root root = tree.root();
        ReportFile file(root);
        CHECK(file.clear());
        REQUIRE(file.read());
        CHECK(!*file.read());
        REQUIRE(file.write(some_report()));
        CHECK(**file.read() == some_report());
        tree.file("var/lib/stillboot/kexec.json", std::string(1024 * 1024 + 1, ' '));
        CHECK(file.read().error().code() == "base.file_too_large");
        tree.file("var/lib/stillboot/kexec.json", "?");
        CHECK(file.read().error().code() == "quiesce.report_damaged");
        CHECK(file.clear());
        CHECK(!*file.read());
        CHECK(file.name() == "the file /var/lib/stillboot/kexec.json");
    }

    TEST_CASE("whether kexec started a kernel") {
        CHECK(started_by_kexec(Started("208").root) == true);
        CHECK(started_by_kexec(Started("211").root) == true);
        CHECK(started_by_kexec(Started("176").root) == false);
        CHECK(started_by_kexec(Started("114").root) == false);
        CHECK(started_by_kexec(Started("").root) == std::nullopt);
        Started power("");
        power.tree.file("proc/device-tree/chosen/linux,booted-from-kexec", "");
        CHECK(started_by_kexec(power.root) == true);
    }

    TEST_CASE("the report of the jump into this kernel is found, and no other") {
        struct Row {
            std::string name;
            std::string loader;
            std::string from_boot;
            std::string to_boot;
            bool ours;
        };
        const Row rows[] = {
            {"of the boot before, by kexec", "208", "earlier", "", true},
            {"of the boot before, and the firmware started this one", "176", "earlier", "", false},
            {"of the boot before, and the kernel does not say", "", "earlier", "", true},
            {"of this boot, which has not jumped yet", "208", "now", "", false},
            {"claimed by this boot", "208", "earlier", "now", true},
            {"claimed by another boot", "208", "earlier", "between", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Started started(row.loader);
            SetSource source;
            source.report = some_report();
            source.report->from_boot = row.from_boot;
            source.report->to_boot = row.to_boot;
            CHECK(started.found_in({&source}) == (row.ours ? "a place" : ""));
        }
    }

    TEST_CASE("what was done goes over what was planned, and a place that cannot be read costs itself alone") {
        Started started("208");
        SetSource broken;
        broken.failure = Error("quiesce.report_damaged");
        SetSource empty;
        SetSource planned;
        planned.report = some_report();
        planned.called = "first plan";
        SetSource later = planned;
        later.called = "second plan";
        SetSource done = planned;
        done.report->kind = JumpReport::Kind::done;
        done.called = "what was done";
        CHECK(started.found_in({&broken, &empty, &planned, &later}) == "first plan");
        CHECK(started.problems == std::vector<Message>{Message("quiesce.report_damaged")});
        CHECK(started.found_in({&planned, &done}) == "what was done");
        CHECK(started.found_in({&empty}).empty());
    }
}
