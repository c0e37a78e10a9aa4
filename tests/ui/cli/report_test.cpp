// SPDX-License-Identifier: Apache-2.0
// stillboot report, and what it leaves out.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/json.hpp"
#include "tests/ui/cli/scripted_server.hpp"
#include "ui/cli/secrets.hpp"

using namespace stillboot;
using cli::ExitCode;
using cli::without_secrets;
using test::run;
using test::ScriptedServer;

namespace {

void answer_all(ScriptedServer& server) {
    protocol::ListOptions::Reply options;
    options.options.resize(1);
    options.options[0].title = "Debian";
    options.options[0].args = "root=/dev/sda1 rd.luks.key=/secret/file quiet";
    protocol::GetReport::Reply last;
    last.report = protocol::HandoverReport();
    last.report->devices = {{"0000:00:04.0", "nvme", "kept", "the settings say so"}};
    server.answer(protocol::GetSystem::name, protocol::to_json(protocol::GetSystem::Reply()));
    server.answer(protocol::GetState::name, protocol::to_json(protocol::GetState::Reply()));
    server.answer(protocol::GetReport::name, protocol::to_json(last));
    server.answer(protocol::GetTimes::name, protocol::to_json(protocol::GetTimes::Reply()));
    server.answer(protocol::ListAttempts::name, protocol::to_json(protocol::ListAttempts::Reply()));
    server.answer(protocol::GetSettings::name, protocol::to_json(protocol::GetSettings::Reply()));
    server.answer(protocol::ListDevices::name, protocol::to_json(protocol::ListDevices::Reply()));
    server.answer(protocol::ListOptions::name, protocol::to_json(options));
    server.answer_all(protocol::ListClients::name,
                      {protocol::permission_denied(protocol::Role::boot, protocol::Role::look)});
    server.answer(protocol::GetLog::name, protocol::to_json(protocol::GetLog::Reply()));
    server.start();
}

}  // namespace

TEST_SUITE("cli report") {
    TEST_CASE("what looks like a secret is left out, and nothing else") {
        struct Row {
            const char* text;
            const char* without;
        };
        const Row rows[] = {
            {"", ""},
            {"root=/dev/sda1 ro quiet", "root=/dev/sda1 ro quiet"},
            {"a rd.luks.key=abc b", "a rd.luks.key=(left out) b"},
            {"PASSWORD=x", "PASSWORD=(left out)"},
            {"x=\"my_passphrase=1 2\" y", "x=\"my_passphrase=(left out)\" y"},
            {"key=a\"b c\"d e", "key=(left out) e"},
            {"'it is' key=\"unended x", "'it is' key=(left out)"},
            {"token=\"two words\" y=1", "token=(left out) y=1"},
            {"key= y=1", "key=(left out) y=1"},
            {"http://anna:word@host/p?q=1&secret=2", "http://(left out)@host/p?q=1&secret=(left out)"},
            {"http://host/a@b ssh://c@d", "http://host/a@b ssh://(left out)@d"},
            {"keyboard us", "keyboard us"},
            {"a netroot=iscsi:bob:hun/ter3@10.0.0.1::3260:1:iqn.x b",
             "a netroot=iscsi:(left out)@10.0.0.1::3260:1:iqn.x b"},
            {"netroot=iscsi:10.0.0.1::::iqn.x b@c", "netroot=iscsi:10.0.0.1::::iqn.x b@c"},
            {"wifi.psk=abc cred=d:e x=y", "wifi.psk=(left out) cred=(left out) x=y"},
        };
        for (const Row& row : rows) {
            CHECK(without_secrets(row.text) == row.without);
        }
    }

    TEST_CASE("all parts are one document; what cannot be had is said in it") {
        ScriptedServer server;
        answer_all(server);
        const auto ran = run(server, {"report"});
        CHECK(ran.code == ExitCode::done);
        const auto all = boost::json::parse(ran.out).as_object();
        for (const char* part :
             {"system", "state", "report", "attempts", "stages", "settings", "devices", "options", "lines"}) {
            CAPTURE(std::string(part));
            CHECK(all.contains(part));
        }
        CHECK(all.at("options").at(0).at("args") == "root=/dev/sda1 rd.luks.key=(left out) quiet");
        CHECK(all.at("report").at("devices").at(0).at("driver") == "nvme");
        CHECK(std::string(all.at("missing").at(0).as_string()).starts_with("io.stillboot.ListClients: "));
    }

    TEST_CASE("every part that cannot be had is named") {
        ScriptedServer server;
        server.answer(protocol::GetSystem::name, protocol::to_json(protocol::GetSystem::Reply()));
        server.start();
        const auto all = boost::json::parse(run(server, {"report"}).out).as_object();
        const auto& missing = all.at("missing").as_array();
        REQUIRE(missing.size() == 9);
        CHECK(std::string(missing.front().as_string()).starts_with("io.stillboot.GetState: "));
        CHECK(std::string(missing.back().as_string()).starts_with("io.stillboot.GetLog: "));
    }

    TEST_CASE("a file is new, and its owner's alone") {
        const test::TemporaryTree tree;
        const std::string path = (tree.path() / "report.json").string();
        {
            ScriptedServer server;
            answer_all(server);
            const auto ran = run(server, {"report", path});
            CHECK(ran.code == ExitCode::done);
            CHECK(ran.out.starts_with(path + " has it all."));
        }
        struct stat there = {};
        REQUIRE(::stat(path.c_str(), &there) == 0);
        CHECK((there.st_mode & 0777) == 0600);
        std::stringstream text;
        text << std::ifstream(path).rdbuf();
        CHECK(boost::json::parse(text.str()).as_object().contains("options"));
        ScriptedServer server;
        answer_all(server);
        const auto again = run(server, {"report", path});
        CHECK(again.code == ExitCode::failed);
        CHECK(again.err.find(path) != std::string::npos);
    }
}
