// SPDX-License-Identifier: Apache-2.0
// The command line itself: what is accepted, what is refused and how that reads.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/temporary_tree.hpp"
#include "tests/ui/cli/run.hpp"
#include "ui/cli/program.hpp"

using stillboot::cli::ExitCode;
using stillboot::test::run_stillboot;
using Words = std::vector<std::string>;

TEST_SUITE("cli") {
    TEST_CASE("an answer that could not be written is a failure") {
        std::ofstream full("/dev/full");
        std::ostringstream err;
        stillboot::cli::Context context(full, err);
        CHECK(stillboot::cli::run_program({"quiesce", "rules"}, context) == ExitCode::failed);
        CHECK(err.str().find("- cannot be written") != std::string::npos);
    }

    TEST_CASE("help is given for the program and for each verb") {
        CHECK(run_stillboot({"--help"}).out.find("Exit codes: 0 done") != std::string::npos);
        for (const char* verb : {"status", "list", "boot", "cancel", "devices", "rescan", "explain", "log",
                                 "reboot", "poweroff", "quiesce", "load", "menu", "keys", "bridge"}) {
            CAPTURE(verb);
            const auto ran = run_stillboot({verb, "--help"});
            CHECK(ran.code == ExitCode::done);
            CHECK(ran.out.find("Usage: stillboot " + std::string(verb) + " [OPTIONS]") != std::string::npos);
        }
        CHECK(run_stillboot({"--version"}).out == "stillboot " STILLBOOT_VERSION "\n");
    }

    TEST_CASE("a command line that makes no sense is refused with code 2 and a hint") {
        struct Row {
            Words words;
            const char* hint;
        };
        const Row rows[] = {
            {{"frobnicate"}, "What it takes: stillboot --help\n"},
            {{"boot"}, "What it takes: stillboot boot --help\n"},
            {{"boot", "a", "b"}, "What it takes: stillboot boot --help\n"},
            {{"boot", "a", "--append", "x", "--args", "y"}, "What it takes: stillboot boot --help\n"},
            {{"boot", "a", "--wait", "--dry-run"}, "What it takes: stillboot boot --help\n"},
            {{"list", "--json=xml"}, "What it takes: stillboot list --help\n"},
            {{"explain"}, "What it takes: stillboot explain --help\n"},
            {{"--host", "http://other", "list"}, "What it takes: stillboot list --help\n"},
            {{"--host", "unix:"}, "What it takes: stillboot --help\n"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.words);
            const auto ran = run_stillboot(row.words);
            CHECK(ran.code == ExitCode::usage);
            CHECK(ran.out == "");
            const std::size_t line = ran.err.find('\n') + 1;
            CHECK(ran.err.rfind("stillboot: ", 0) == 0);
            CHECK(ran.err.substr(line) == row.hint);
        }
        CHECK(run_stillboot({"--host", "ftp://x:1", "list"}).err ==
              "stillboot: --host takes unix:PATH, ssh://[USER@]HOST[:PORT] or tls://HOST[:PORT], not ftp://x:1\n"
              "What it takes: stillboot list --help\n");
    }

    TEST_CASE("a verb that is not known, or left out, is answered with those that there are") {
        CHECK(run_stillboot({"frobnicate", "--host", "unix:/x"}).err ==
              "stillboot: there is no verb frobnicate: it is one of status, list, boot, cancel, menu, devices, "
              "rescan, add, explain, quiesce, load, log, wait, clients, settings, system, times, report, "
              "set-default, set-oneshot, set-timeout, reboot, poweroff, keys, password, attempts, bless, bridge\n"
              "What it takes: stillboot --help\n");
        CHECK(run_stillboot({"quiesce", "bogus"}).err ==
              "stillboot: there is no verb bogus: it is one of plan, run, undo, verify, record, learned, report, "
              "rules\n"
              "What it takes: stillboot quiesce --help\n");
        CHECK(run_stillboot({"quiesce"}).err ==
              "stillboot: which one: plan, run, undo, verify, record, learned, report, rules?\nWhat it takes: "
              "stillboot "
              "quiesce --help\n");
        CHECK(run_stillboot({"devices", "bogus"}).err ==
              "stillboot: The following argument was not expected: bogus\nWhat it takes: stillboot devices "
              "--help\n");
        CHECK(run_stillboot({"quiesce", "plan", "bogus"}).err.find("there is no verb") == std::string::npos);
        CHECK(run_stillboot({"quiesce", "--bogus"}).err ==
              "stillboot: there is no option --bogus here\nWhat it takes: stillboot quiesce --help\n");
        CHECK(run_stillboot({""}).err.rfind("stillboot: there is no verb : it is one of", 0) == 0);
    }

    TEST_CASE("what this machine does by itself takes no --host, and an option nothing that it counts with") {
        for (const Words& verb : {Words{"bless"}, {"password"}, {"keys", "init"}, {"load", "/x"}}) {
            CAPTURE(verb);
            Words words = {"--host", "tls://x"};
            words.insert(words.end(), verb.begin(), verb.end());
            const auto ran = run_stillboot(words);
            CHECK(ran.code == ExitCode::usage);
            CHECK(ran.err.rfind("stillboot: " + verb[0] + " acts on this machine alone: leave out --host", 0) ==
                  0);
        }
        const stillboot::test::TemporaryTree tree;
        tree.file("etc/stillboot/stillboot.toml", "lock = true\n");
        CHECK(run_stillboot({"--host", "unix:/x", "--root", tree.path().string(), "password", "--ask"}).code ==
              ExitCode::unreachable);
        CHECK(run_stillboot({"load", "/x", "--even-if-cut-off"}).code == ExitCode::usage);
    }

    TEST_CASE("a daemon that is not there has its own code, whatever the verb that does not wait for it") {
        const stillboot::test::TemporaryTree tree;
        const std::string socket = (tree.path() / "none").string();
        for (const Words& verb : {Words{},
                                  {"status"},
                                  {"list"},
                                  {"devices"},
                                  {"boot", "x"},
                                  {"boot", "x", "--wait"},
                                  {"cancel"},
                                  {"rescan"},
                                  {"log"},
                                  {"log", "-f"},
                                  {"clients"},
                                  {"reboot"},
                                  {"poweroff"}}) {
            CAPTURE(verb);
            Words words = {"--host", "unix:" + socket};
            words.insert(words.end(), verb.begin(), verb.end());
            const auto ran = run_stillboot(words);
            CHECK(ran.code == ExitCode::unreachable);
            CHECK(ran.out == "");
            CHECK(ran.err == "stillboot: stillbootd cannot be reached at " + socket +
                                 ": ENOENT (No such file or directory)\n"
                                 "Is stillbootd running? Another socket is given by --host unix:PATH\n");
        }
    }
}
