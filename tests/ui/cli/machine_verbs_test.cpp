// SPDX-License-Identifier: Apache-2.0
// The verbs without a daemon, on a made-up machine: plans and refusals; nothing here touches a device.
#include <doctest/doctest.h>

#include "daemon/protocol/failure.hpp"
#include "tests/temporary_tree.hpp"
#include "tests/ui/cli/run.hpp"
#include "tests/ui/cli/scripted_server.hpp"

using stillboot::cli::ExitCode;
using stillboot::test::run;
using stillboot::test::run_stillboot;
using stillboot::test::ScriptedServer;
using stillboot::test::TemporaryTree;

namespace {

/// A machine with one NVMe disk, bound.
void write_machine(const TemporaryTree& tree) {
    const std::string device = "sys/devices/pci0000:00/0000:00:04.0/";
    tree.file(device + "class", "0x010802\n");
    tree.file(device + "vendor", "0x1b36\n");
    tree.file(device + "device", "0x0010\n");
    tree.file(device + "config", std::string(256, '\0'));
    tree.file("proc/self/mountinfo", "");
    tree.link(device + "subsystem", "../../../bus/pci");
    tree.link(device + "driver", "../../../bus/pci/drivers/nvme");
    tree.file("sys/bus/pci/drivers/nvme/unbind", "");
    tree.link("sys/bus/pci/drivers/nvme/0000:00:04.0", "../../../../devices/pci0000:00/0000:00:04.0");
    tree.link("sys/bus/pci/devices/0000:00:04.0", "../../../devices/pci0000:00/0000:00:04.0");
    tree.file("sys/bus/pci/drivers_autoprobe", "1\n");
}

}  // namespace

TEST_SUITE("cli") {
    TEST_CASE("quiesce plan names what would be unbound, and the settings' keep is heeded") {
        const TemporaryTree tree;
        write_machine(tree);
        const std::string root = tree.path().string();
        auto ran = run_stillboot({"--root", root, "quiesce", "plan", "--json=short"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.err == "");
        CHECK(ran.out.find("\"steps\":[{") != std::string::npos);
        CHECK(ran.out.find("0000:00:04.0") != std::string::npos);
        CHECK(run_stillboot({"--root", root, "quiesce", "plan"}).out.find("nvme") != std::string::npos);

        tree.file("etc/stillboot/stillboot.toml", "keep = [\"nvme\"]\ncolour = 1\n");
        ran = run_stillboot({"--root", root, "quiesce", "plan", "--json=short"});
        CHECK(ran.out.find("\"steps\":[]") != std::string::npos);
        CHECK(ran.err == "/etc/stillboot/stillboot.toml:2:10: warning: there is no setting colour\n");
    }

    TEST_CASE("quiesce plan of another machine reads as it would there, in words and as JSON") {
        const TemporaryTree tree;
        write_machine(tree);
        const std::string root = tree.path().string();
        const auto json = run_stillboot({"--root", root, "quiesce", "plan", "--json=short"}).out;
        ScriptedServer server;
        server.answer(stillboot::protocol::GetQuiescePlan::name,
                      {{"plan", stillboot::protocol::parse_json(json).value()}});
        server.start();
        CHECK(run(server, {"quiesce", "plan"}).out == run_stillboot({"--root", root, "quiesce", "plan"}).out);
        CHECK(run(server, {"quiesce", "plan", "--json=short"}).out == json);
    }

    TEST_CASE("a plan that is refused, and a daemon that is busy, give the exit code of a refusal") {
        ScriptedServer server;
        stillboot::protocol::GetQuiescePlan::Reply reply;
        reply.plan.refusals.emplace_back("daemon.said",
                                         std::vector<stillboot::Message::Param>{{"text", "in use"}});
        server.answer(stillboot::protocol::GetQuiescePlan::name, stillboot::protocol::to_json(reply));
        server.start();
        const auto ran = run(server, {"quiesce", "plan"});
        CHECK(ran.code == ExitCode::refused);
        CHECK(ran.out == "refused: in use\n");
        ScriptedServer busy;
        busy.answer_all(stillboot::protocol::GetQuiescePlan::name, {stillboot::protocol::busy("Debian")});
        busy.start();
        CHECK(run(busy, {"quiesce", "plan"}).code == ExitCode::refused);
    }

    TEST_CASE("what acts on this machine alone refuses a host, and nothing is done here") {
        const TemporaryTree tree;
        write_machine(tree);
        for (const std::vector<std::string>& words : {std::vector<std::string>{"quiesce", "run"},
                                                      {"quiesce", "undo"},
                                                      {"quiesce", "verify"},
                                                      {"quiesce", "learned", "--forget-all"},
                                                      {"load", "/nonexistent"},
                                                      {"explain", "/nonexistent"}}) {
            CAPTURE(words);
            std::vector<std::string> all{"--host", "ssh://there", "--root", tree.path().string()};
            all.insert(all.end(), words.begin(), words.end());
            const auto ran = run_stillboot(all);
            CHECK(ran.code == ExitCode::usage);
            CHECK(ran.err.find(" acts on this machine alone: leave out --host, or run it there, as with ssh") !=
                  std::string::npos);
        }
    }

    TEST_CASE("quiesce rules lists the machine's rules before the shipped ones, and a bad file is said") {
        const TemporaryTree tree;
        const std::string root = tree.path().string();
        tree.file("etc/stillboot/quiesce.d/a.toml",
                  "[[rule]]\nname = \"ours\"\ndriver = \"nvme\"\naction = \"keep\"\nwhy = \"we want it\"\n");
        tree.file("etc/stillboot/quiesce.d/b.toml", "[[rule]]\ncolour = 1\n");
        tree.file("proc/cmdline", "stillboot.quiesce=minimal\n");
        auto ran = run_stillboot({"--root", root, "quiesce", "rules"});
        CHECK(ran.code == ExitCode::done);
        CHECK(
            ran.out.starts_with("mode: minimal\n"
                                "keep ours (/etc/stillboot/quiesce.d/a.toml:1) where driver = nvme\n"
                                "    we want it\n"
                                "keep hypervisor-console where driver = hvc_opal | hvc_vio | hvcs\n"
                                "    a console stands on it\n"
                                "    source: drivers/tty/hvc/hvc_opal.c"));
        CHECK(ran.err.starts_with("/etc/stillboot/quiesce.d/b.toml:2:10: error: a rule has no colour\n"));
        ran = run_stillboot({"--root", root, "quiesce", "rules", "--json=short"});
        CHECK(ran.out.starts_with(
            R"({"mode":"minimal","rules":[{"name":"ours","match":{"driver":["nvme"]},"action":"keep",)"
            R"("deadline_s":10,"why":"we want it","source":"","shipped":false,)"
            R"("file":"/etc/stillboot/quiesce.d/a.toml","line":1},{"name":"hypervisor-console")"));
    }

    TEST_CASE("a machine that was recorded is planned from its file, without its sysfs and its settings") {
        const TemporaryTree tree;
        write_machine(tree);
        const auto planned = run_stillboot({"--root", tree.path().string(), "quiesce", "plan"});
        const auto recorded = run_stillboot({"--root", tree.path().string(), "quiesce", "record"});
        CHECK(recorded.code == ExitCode::done);
        CHECK(recorded.err == "");
        const TemporaryTree elsewhere;
        elsewhere.file("machine.json", recorded.out);
        elsewhere.file("etc/stillboot/stillboot.toml", "keep = [\"nvme\"]\n");
        const std::string file = (elsewhere.path() / "machine.json").string();
        const std::string root = elsewhere.path().string();
        const auto again = run_stillboot({"--root", root, "quiesce", "plan", "--inventory", file});
        CHECK(again.code == ExitCode::done);
        CHECK(again.err == "");
        CHECK(again.out == planned.out);
        CHECK(again.out.find("unbind 0000:00:04.0 (pci, nvme)") != std::string::npos);
    }

    TEST_CASE("a recorded file that is not there, or is none, is refused in words") {
        const TemporaryTree tree;
        tree.file("none.json", "{}");
        const std::string lost = (tree.path() / "lost").string();
        auto ran = run_stillboot({"quiesce", "plan", "--inventory", lost});
        CHECK(ran.code == ExitCode::not_found);
        CHECK(ran.err == "stillboot: " + lost + " cannot be opened: ENOENT (No such file or directory)\n");
        ran = run_stillboot({"quiesce", "plan", "--inventory", (tree.path() / "none.json").string()});
        CHECK(ran.code == ExitCode::failed);
        CHECK(ran.err == "stillboot: it is no recorded inventory (stillboot quiesce record writes one)\n");
        CHECK(run_stillboot({"--root", lost, "quiesce", "record"}).code == ExitCode::failed);
    }

    TEST_CASE("quiesce verify looks at every endpoint") {
        const TemporaryTree tree;
        write_machine(tree);
        const auto ran = run_stillboot({"--root", tree.path().string(), "quiesce", "verify"});
        CHECK(ran.code == ExitCode::failed);
        CHECK(ran.out.rfind("moving     0000:00:04.0   nvme", 0) == 0);
        CHECK(ran.out.find("\nNot at rest: what moves is listed above.\n") != std::string::npos);
    }

    TEST_CASE("quiesce wants one of its verbs, and a root that is there") {
        CHECK(run_stillboot({"quiesce"}).code == ExitCode::usage);
        CHECK(run_stillboot({"quiesce", "stop"}).code == ExitCode::usage);
        CHECK(run_stillboot({"--root", "/nonexistent", "quiesce", "plan"}).code == ExitCode::failed);
    }

    TEST_CASE("load names a file that is not there before anything is done") {
        const TemporaryTree tree;
        tree.file("kernel", "no kernel");
        const std::string kernel = (tree.path() / "kernel").string();
        const std::string lost = (tree.path() / "lost").string();
        const std::string words = "stillboot: " + lost + " is not there, or cannot be opened\n";
        for (const auto& arguments : {std::vector<std::string>{"load", lost},
                                      {"load", kernel, "--initrd", lost},
                                      {"load", kernel, "--initrd", kernel, "--initrd", lost},
                                      {"load", kernel, "--devicetree", lost}}) {
            CAPTURE(arguments);
            const auto ran = run_stillboot(arguments);
            CHECK(ran.code == ExitCode::not_found);
            CHECK(ran.err == words);
        }
    }

    TEST_CASE("a report of a jump: kept before it, claimed after it, and gone after an ordinary start") {
        const TemporaryTree tree;
        write_machine(tree);
        const std::string root = tree.path().string();
        const auto report = [&](std::vector<std::string> more) {
            more.insert(more.begin(), {"--root", root, "quiesce", "report"});
            return run_stillboot(more);
        };
        const auto start = [&](const std::string& boot, const std::string& loader) {
            tree.file("proc/sys/kernel/random/boot_id", boot + "\n");
            tree.file("proc/sys/kernel/bootloader_type", loader + "\n");
        };
        tree.file("etc/stillboot/stillboot.toml", "keep = [\"nvme\"]\n");
        const std::string file = root + "/var/lib/stillboot/kexec.json";

        start("one", "114");
        tree.file("sys/kernel/kexec_loaded", "0\n");
        CHECK(report({"--before-jump"}).out == "no kernel is loaded for kexec: there is no plan to keep\n");
        CHECK(!std::filesystem::exists(file));
        tree.file("sys/kernel/kexec_loaded", "1\n");
        CHECK(report({"--before-jump"}).out ==
              "for a kexec at the end of this shutdown: 0 devices to unbind, 1 to keep "
              "(the file /var/lib/stillboot/kexec.json)\n");
        CHECK(report({}).code == ExitCode::not_found);

        start("two", "208");
        const std::string told =
            "kexec started this system, from the one with boot id one\n"
            "planned before the jump, and told by the file /var/lib/stillboot/kexec.json (what was done in the "
            "end "
            "only the console and the log of that system told): 0 devices to unbind, 1 to keep\n"
            "kept 0000:00:04.0 (nvme): the settings say so\n";
        CHECK(report({}).out == told);
        CHECK(report({"--after-jump"}).out == told);
        CHECK(report({}).out == told);
        const auto machine_readable = report({"--json=short"}).out;
        CHECK(machine_readable.find("\"to_boot\":\"two\"") != std::string::npos);
        CHECK(machine_readable.find("\"source\":\"the file /var/lib") != std::string::npos);

        start("three", "208");
        CHECK(report({}).out ==
              "kexec started this system, and nothing is left that tells how its devices were left\n");
        start("four", "114");
        CHECK(report({"--after-jump"}).code == ExitCode::done);
        CHECK(!std::filesystem::exists(file));
        CHECK(report({}).out == "kexec did not start this system: there is nothing to report\n");

        tree.file("var/lib/stillboot/kexec.json", "?");
        CHECK(report({"--after-jump"}).err == "stillboot: the report of the last jump cannot be read\n");
        CHECK(!std::filesystem::exists(file));
        CHECK(report({"--before-jump", "--after-jump"}).code == ExitCode::usage);
    }
}
