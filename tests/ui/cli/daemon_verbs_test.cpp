// SPDX-License-Identifier: Apache-2.0
// The verbs that speak to the daemon: what they ask, what they print, and their exit codes.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <fstream>

#include "daemon/protocol/failure.hpp"
#include "tests/ui/cli/scripted_server.hpp"

using namespace stillboot;
using cli::ExitCode;
using test::run;
using test::ScriptedServer;
using Words = std::vector<std::string>;

namespace {

protocol::Reply reply(boost::json::value parameters, bool continues) {
    protocol::Reply out;
    out.parameters = std::move(parameters).as_object();
    out.continues = continues;
    return out;
}

protocol::Option option(const std::string& id, const std::string& title) {
    protocol::Option out;
    out.id = id;
    out.title = title;
    out.device_id = "disk";
    out.kernel.path = "/k";
    return out;
}

protocol::ListOptions::Reply two_options() {
    protocol::ListOptions::Reply out;
    out.options = {option("disk/bls/a", "Linux"), option("disk/bls/b", "Rescue")};
    out.options[0].is_default = true;
    out.options[1].submenus = {"More"};
    out.options[1].state = protocol::OptionState::waiting;
    out.options[1].reason = Message("config.device_missing", {{"kind", "uuid"}, {"value", "77"}});
    return out;
}

}  // namespace

TEST_SUITE("cli") {
    TEST_CASE("list prints the options with the default marked, or the reply as JSON") {
        ScriptedServer server;
        server.answer(protocol::ListOptions::name, protocol::to_json(two_options()));
        protocol::GetState::Reply state;
        state.state.default_option = "disk/bls/a";
        server.answer(protocol::GetState::name, protocol::to_json(state));
        server.start();
        auto ran = run(server, {"list"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out ==
              "* Linux          disk/bls/a\n"
              "  More > Rescue  disk/bls/b\n"
              "    waits: no device with uuid 77 is present\n");
        ran = run(server, {"list", "--json=short"});
        CHECK(ran.out.rfind("{\"options\":[{\"id\":\"disk/bls/a\",", 0) == 0);
        CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') == 1);
        ran = run(server, {"--json", "list"});
        CHECK(ran.out.rfind("{\n  \"options\": [\n    {\n", 0) == 0);
    }

    TEST_CASE("status says what would boot, when and why") {
        ScriptedServer server;
        protocol::GetState::Reply state;
        state.state.phase = protocol::Phase::countdown;
        state.state.would_boot = "disk/bls/a";
        state.state.why = Message("daemon.said", {{"text", "it is the first"}});
        state.state.remaining_ms = 6001;
        state.state.beaten = {{Message("daemon.by_configuration"), "disk/bls/b", "Old Linux"}};
        state.state.strict = true;
        state.state.last_failure = Message("daemon.said", {{"text", "no memory"}});
        state.state.notices = {Message("handover.no_store")};
        state.state.version = "1";
        server.answer(protocol::GetState::name, protocol::to_json(state));
        server.answer(protocol::ListOptions::name, protocol::to_json(two_options()));
        server.start();
        const auto ran = run(server, {});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out ==
              "Linux boots in 7 s.\n"
              "  option: disk/bls/a\n"
              "  why: it is the first\n"
              "  instead of: Old Linux, the default of the first device\n"
              "  the last boot failed: no memory\n"
              "  note: there is no state store: a driver that hangs is not remembered, and the menu is where it "
              "ends\n"
              "  strict mode: nothing at a console stops or changes what boots\n"
              "  to stop it: stillboot cancel\n");
        CHECK(run(server, {"status"}).out == ran.out);
        CHECK(run(server, {"status", "--json=short"}).out.rfind("{\"phase\":\"countdown\",", 0) == 0);
    }

    TEST_CASE(
        "status of a clock that stands names what would boot, and that there is something where nothing is") {
        protocol::GetState::Reply state;
        const auto headline = [&](const protocol::ListOptions::Reply& options) {
            ScriptedServer server;
            server.answer(protocol::GetState::name, protocol::to_json(state));
            server.answer(protocol::ListOptions::name, protocol::to_json(options));
            server.start();
            const std::string out = run(server, {"status"}).out;
            return out.substr(0, out.find('\n'));
        };
        state.state.phase = protocol::Phase::idle;
        CHECK(headline({}) == "Nothing can be booted now.");
        CHECK(headline(two_options()) == "Nothing boots by itself.");
        state.state.default_option = "disk/bls/b";
        CHECK(headline(two_options()) == "Nothing boots by itself. The default is Rescue.");
    }

    TEST_CASE("boot passes its options on and says what happens next") {
        ScriptedServer server;
        protocol::Boot::Reply accepted;
        accepted.option = "disk/bls/a";
        server.answer(protocol::Boot::name, protocol::to_json(accepted));
        server.start();
        const auto ran = run(server, {"boot", "Linux", "--append", "single"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out == "disk/bls/a is being booted. To stop it: stillboot cancel\n");
        const auto calls = server.stop();
        REQUIRE(calls.size() == 1);
        CHECK_FALSE(calls[0].more);
        CHECK(calls[0].parameters.at("option") == "Linux");
        CHECK(calls[0].parameters.at("append") == "single");
    }

    TEST_CASE("add prints the ids of what came of a file, and what is wrong in it beside") {
        ScriptedServer server;
        protocol::AddConfiguration::Reply added;
        added.options = {"disk/grub/a", "disk/grub/b"};
        added.diagnostics = {{Severity::warning, "/x.cfg", 2, 1, Message("daemon.said", {{"text", "odd"}})}};
        server.answer(protocol::AddConfiguration::name, protocol::to_json(added));
        server.start();
        const auto ran = run(server, {"add", "/dev/vda1:/x.cfg"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out == "disk/grub/a\ndisk/grub/b\n");
        CHECK(ran.err == "/x.cfg:2:1: warning: odd\n");
        CHECK(server.stop()[0].parameters.at("path") == "/dev/vda1:/x.cfg");
        CHECK(test::run_stillboot({"add"}).code == ExitCode::usage);
    }

    TEST_CASE("boot --dry-run prints the plan") {
        ScriptedServer server;
        protocol::Boot::Reply plan;
        plan.option = "disk/bls/a";
        plan.plan = {"1. fetch", "2. jump"};
        server.answer(protocol::Boot::name, protocol::to_json(plan));
        server.start();
        CHECK(run(server, {"boot", "@default", "--dry-run"}).out == "1. fetch\n2. jump\n");
        CHECK(server.stop()[0].parameters.at("dry_run") == true);
    }

    TEST_CASE("boot --wait follows the progress to the failure") {
        ScriptedServer server;
        protocol::Boot::Reply first;
        first.option = "disk/bls/a";
        first.progress.emplace();
        first.progress->option = first.option;
        first.progress->step = "unbind";
        first.progress->message = Message("daemon.said", {{"text", "nvme"}});
        first.progress->done = 3;
        first.progress->total = 24;
        first.progress->elapsed_ms = 1250;
        protocol::Boot::Reply later = first;
        later.progress->elapsed_ms = 6250;
        later.progress->left_ms = 3100;
        protocol::Boot::Reply second = first;
        second.progress->step = "fetch";
        second.progress->elapsed_ms = 6300;
        server.answer_all(protocol::Boot::name,
                          {reply(protocol::to_json(first), true), reply(protocol::to_json(first), true),
                           reply(protocol::to_json(later), true), reply(protocol::to_json(second), true),
                           protocol::boot_failed(Message("daemon.said", {{"text", "it broke"}}))});
        server.start();
        const auto ran = run(server, {"boot", "Linux", "--wait"});
        CHECK(ran.code == ExitCode::failed);
        CHECK(ran.out ==
              "[  1.25 s] unbind 3/24: nvme\n[  6.25 s] unbind 3/24: nvme (at most 4 s left)\n"
              "[  6.30 s] fetch 10 %: nvme\n");
        CHECK(ran.err == "stillboot: the boot failed: it broke\nHow it went: stillboot log\n");
        CHECK(server.stop()[0].more);
    }

    TEST_CASE(
        "boot --wait goes on watching here after the last reply: to the failure, or to the end of the daemon") {
        protocol::Boot::Reply left;
        left.option = "disk/bls/a";
        left.progress.emplace();
        left.progress->option = left.option;
        left.progress->step = "take-down";
        left.progress->message = Message("daemon.said", {{"text", "all goes"}});
        protocol::Watch::Reply under_way;
        under_way.change.state.emplace();
        under_way.change.state->phase = protocol::Phase::handover;
        under_way.change.state->would_boot = left.option;
        under_way.change.state->progress = left.progress;
        protocol::Watch::Reply unbinding = under_way;
        unbinding.change.state->progress->step = "unbind";
        protocol::Watch::Reply failed = unbinding;
        failed.change.state->phase = protocol::Phase::idle;
        failed.change.state->last_failure = Message("daemon.said", {{"text", "it broke"}});
        protocol::Watch::Reply another = failed;
        another.change.state->phase = protocol::Phase::handover;
        another.change.state->would_boot = "disk/bls/b";
        const std::string progress = "[  0.00 s] take-down: all goes\n[  0.00 s] unbind: all goes\n";
        struct Row {
            const char* name;
            std::vector<protocol::Reply> then;  // and the connection ends
            ExitCode code;
            std::string out;
            const char* err;
        };
        const auto seen = [&](const protocol::Watch::Reply& watched) {
            return reply(protocol::to_json(watched), true);
        };
        const char* const why = "stillboot: the boot failed: it broke\nHow it went: stillboot log\n";
        const Row rows[] = {
            {"the daemon dies",
             {seen(under_way), seen(unbinding)},
             ExitCode::unreachable,
             progress,
             "stillboot: stillbootd closed the connection\nIs stillbootd running? Another socket is given by "
             "--host "
             "unix:PATH\n"},
            {"it is undone", {seen(under_way), seen(unbinding), seen(failed)}, ExitCode::failed, progress, why},
            {"and the next one begins",
             {seen(under_way), seen(unbinding), seen(another)},
             ExitCode::failed,
             progress,
             why},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            ScriptedServer server;
            server.answer_all(protocol::Boot::name, {reply(protocol::to_json(left), false)});
            server.answer_in_turn(protocol::Watch::name, {row.then});
            server.start();
            const auto ran = run(server, {"boot", "Linux", "--wait"});
            CHECK(ran.code == row.code);
            CHECK(ran.out == row.out);
            CHECK(ran.err == row.err);
        }
    }

    TEST_CASE("each error of the daemon has its exit code, its words and what to do next") {
        struct Row {
            const char* name;
            protocol::Reply error;
            ExitCode code;
            const char* words;
        };
        const Row rows[] = {
            {"not found", protocol::not_found("option x"), ExitCode::not_found,
             "stillboot: there is no option x\nWhat there is: stillboot list, stillboot devices\n"},
            {"ambiguous", protocol::ambiguous("Linux", {"a", "b"}), ExitCode::not_found,
             "stillboot: Linux fits several: a, b\nGive the id, as stillboot list prints it\n"},
            {"busy", protocol::busy("a"), ExitCode::refused,
             "stillboot: a is being booted already\nTo stop it: stillboot cancel\n"},
            {"refused", protocol::refused(Message("daemon.said", {{"text", "a disk is in use"}})),
             ExitCode::refused, "stillboot: refused: a disk is in use\n"},
            {"permission", protocol::permission_denied(protocol::Role::boot, protocol::Role::look),
             ExitCode::refused,
             "stillboot: this needs the role boot, and the caller has the role look\n"
             "Root has every role; how others get one: man io.stillboot\n"},
            {"build", protocol::not_in_this_build("url"), ExitCode::failed,
             "stillboot: url is not in this build\n"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            ScriptedServer server;
            server.answer_all(protocol::Boot::name, std::vector<protocol::Reply>{row.error});
            server.start();
            const auto ran = run(server, {"boot", "x"});
            CHECK(ran.code == row.code);
            CHECK(ran.out == "");
            CHECK(ran.err == row.words);
        }
    }

    TEST_CASE("a daemon that goes away in the middle is unreachable") {
        ScriptedServer server;
        protocol::Watch::Reply first;
        first.change.options = two_options().options;
        server.answer_all(protocol::Watch::name, {reply(protocol::to_json(first), true)});
        server.start();
        const auto ran = run(server, {"cancel"});
        CHECK(ran.code == ExitCode::unreachable);
        CHECK(ran.err ==
              "stillboot: stillbootd closed the connection\n"
              "Is stillbootd running? Another socket is given by --host unix:PATH\n");
    }

    TEST_CASE("list --watch prints what comes and goes until the last reply") {
        ScriptedServer server;
        protocol::Watch::Reply first;
        first.change.whole = true;
        first.change.options = two_options().options;
        protocol::Watch::Reply second;
        second.change.seq = 1;
        second.change.options_removed = {"disk/bls/a"};
        server.answer_all(protocol::Watch::name,
                          {reply(protocol::to_json(first), true), reply(protocol::to_json(second), false)});
        server.start();
        auto ran = run(server, {"list", "--watch"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out ==
              "+ Linux  disk/bls/a\n"
              "+ More > Rescue  disk/bls/b\n"
              "    waits: no device with uuid 77 is present\n"
              "- disk/bls/a\n");
        ran = run(server, {"list", "--watch", "--json"});
        CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') == 2);
    }

    TEST_CASE("what goes on for ever ends where it cannot be written") {
        ScriptedServer server;
        protocol::Watch::Reply change;
        change.change.options = two_options().options;
        server.answer_all(protocol::Watch::name, {reply(protocol::to_json(change), true)});
        protocol::GetLog::Reply log;
        log.lines.resize(1);
        server.answer_all(protocol::GetLog::name, {reply(protocol::to_json(log), true)});
        server.start();
        for (const Words& verb : {Words{"list", "--watch"}, {"log", "-f"}, {"log", "-f", "--json"}}) {
            std::ofstream full("/dev/full");
            std::ostringstream err;
            cli::Context context(full, err);
            Words words = {"--host", "unix:" + server.path()};
            words.insert(words.end(), verb.begin(), verb.end());
            CHECK(cli::run_program(words, context) == ExitCode::failed);
            CHECK(err.str().find("- cannot be written") != std::string::npos);
        }
    }

    TEST_CASE("devices are listed with what was found and what is wrong") {
        ScriptedServer server;
        protocol::ListDevices::Reply devices;
        devices.devices.resize(1);
        devices.devices[0].id = "disk";
        devices.devices[0].node = "/dev/vda1";
        devices.devices[0].title = "A disk, part 1";
        devices.devices[0].filesystem = "ext4";
        devices.devices[0].size_bytes = 2'000'000'000;
        devices.devices[0].state = protocol::DeviceState::empty;
        devices.devices[0].reason = Message("config.scan_no_configuration");
        devices.devices[0].diagnostics = {
            Diagnostic(Severity::error, "/x.cfg", 1, 2, Message("config.bls_no_kernel"))};
        server.answer(protocol::ListDevices::name, protocol::to_json(devices));
        server.start();
        CHECK(run(server, {"devices"}).out ==
              "/dev/vda1  A disk, part 1 (ext4, 2 GB) has nothing to boot\n"
              "    id: disk\n"
              "    no boot configuration was found on this file system\n"
              "    /x.cfg:1:2: error: this entry is left out: it names no kernel\n");
    }

    TEST_CASE("cancel, rescan, log, reboot and poweroff say what they did") {
        ScriptedServer server;
        protocol::Cancel::Reply cancelled;
        cancelled.cancelled = protocol::Cancelled::countdown;
        server.answer(protocol::Cancel::name, protocol::to_json(cancelled));
        server.answer(protocol::Rescan::name, boost::json::object());
        server.answer(protocol::Reboot::name, boost::json::object());
        server.answer(protocol::PowerOff::name, boost::json::object());
        protocol::GetLog::Reply log;
        log.lines.resize(1);
        log.lines[0].severity = protocol::LogSeverity::warning;
        log.lines[0].time_ms = 60'007;
        log.lines[0].text = "\x1B[2Jx";
        server.answer(protocol::GetLog::name, protocol::to_json(log));
        server.start();
        CHECK(run(server, {"cancel"}).out == "The countdown is stopped. To boot: stillboot boot @default\n");
        CHECK(run(server, {"cancel", "--json=short"}).out == "{\"cancelled\":\"countdown\"}\n");
        CHECK(run(server, {"rescan", "disk"}).out == "Looking again. What is found: stillboot list\n");
        CHECK(run(server, {"reboot"}).out == "Restarting.\n");
        CHECK(run(server, {"reboot", "--firmware-setup"}).out == "Restarting; the firmware opens its setup.\n");
        CHECK(run(server, {"poweroff"}).out == "Switching off.\n");
        const std::string lines = run(server, {"log"}).out;
        CHECK(lines.substr(3) == "01:00.007 warning: ?[2Jx\n");
        CHECK(run(server, {"log", "--follow"}).out == lines);
        const auto calls = server.stop();
        CHECK(calls[2].parameters.at("device") == "disk");
        CHECK(calls[3].parameters.at("firmware_setup").is_null());
        CHECK(calls[4].parameters.at("firmware_setup") == true);
    }

    TEST_CASE("attempts prints who wanted each and how it ended, or the reply as JSON") {
        const std::pair<protocol::AttemptEnd, const char*> rows[] = {
            {protocol::AttemptEnd::under_way, "it is under way"},
            {protocol::AttemptEnd::jumped, "it jumped: nothing is known of it since"},
            {protocol::AttemptEnd::failed, "it failed at the step load: no memory"},
            {protocol::AttemptEnd::cancelled, "it was stopped at the step load"},
            {protocol::AttemptEnd::cut_off, "stillbootd was ended at the step load, and everything was put back"},
            {protocol::AttemptEnd::went_down, "the machine went down at the step load"},
            {protocol::AttemptEnd::restarted,
             "the machine was restarted at the step load, to try again with a driver left alone"},
            {protocol::AttemptEnd::watchdog, "it jumped, and a watchdog restarted the machine"},
            {protocol::AttemptEnd::good, "it jumped, and its system says that it came up"},
        };
        protocol::ListAttempts::Reply attempts;
        for (const auto& [end, words] : rows) {
            protocol::Attempt attempt;
            attempt.title = "Linux";
            attempt.by = "user 0 (process 7)";
            attempt.end = end;
            attempt.step = "load";
            attempt.reason = "no memory";
            attempts.attempts.push_back(attempt);
        }
        ScriptedServer server;
        server.answer(protocol::ListAttempts::name, protocol::to_json(attempts));
        server.start();
        const auto ran = run(server, {"attempts"});
        CHECK(ran.code == ExitCode::done);
        for (const auto& [end, words] : rows) {
            CAPTURE(std::string(words));
            CHECK(ran.out.find("  Linux\n    " + std::string(words) + "\n    wanted by: user 0 (process 7)\n") !=
                  std::string::npos);
        }
        const auto json = boost::json::parse(run(server, {"attempts", "--json=short"}).out);
        CHECK(json.at("attempts").at(2).at("end") == "failed");

        ScriptedServer none;
        none.answer(protocol::ListAttempts::name, protocol::to_json(protocol::ListAttempts::Reply()));
        none.start();
        CHECK(run(none, {"attempts"}).out == "No boot is remembered.\n");
    }
}
