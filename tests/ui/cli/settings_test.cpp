// SPDX-License-Identifier: Apache-2.0
// stillboot settings.
#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/json.hpp"
#include "tests/ui/cli/scripted_server.hpp"

using namespace stillboot;
using cli::ExitCode;
using test::run;
using test::ScriptedServer;
using Words = std::vector<std::string>;

namespace {

protocol::Setting timeout(const std::string& origin, std::optional<std::string> stored = std::nullopt) {
    return {"timeout", "5", origin, std::move(stored), true};
}

void answer_with(ScriptedServer& server, std::vector<protocol::Setting> settings) {
    server.answer(protocol::GetSettings::name,
                  protocol::to_json(protocol::GetSettings::Reply{std::move(settings)}));
    server.start();
}

}  // namespace

TEST_SUITE("cli settings") {
    TEST_CASE("all are a table, one is a line, and JSON is the reply") {
        const std::vector<protocol::Setting> both = {timeout("kernel command line", "9"),
                                                     {"listen", "", "built-in default", std::nullopt, false}};
        ScriptedServer table;
        answer_with(table, both);
        CHECK(run(table, {"settings"}).out == "timeout  5  kernel command line\nlisten      built-in default\n");
        ScriptedServer one;
        answer_with(one, both);
        CHECK(run(one, {"settings", "timeout"}).out ==
              "timeout = 5  (kernel command line)\n  the state store has 9, and kernel command line comes before "
              "it\n");
        ScriptedServer fixed;
        answer_with(fixed, both);
        CHECK(run(fixed, {"settings", "listen"}).out ==
              "listen =   (built-in default)\n  read when stillbootd starts: to be set in a file or on the kernel "
              "command line\n");
        ScriptedServer json;
        answer_with(json, both);
        CHECK(run(json, {"--json=short", "settings", "timeout"}).out ==
              R"({"settings":[{"key":"timeout","value":"5","origin":"kernel command line","stored":"9",)"
              R"("any_time":true}]})"
              "\n");
    }

    TEST_CASE("set-timeout is the setting by itself") {
        ScriptedServer server;
        server.answer(protocol::SetSetting::name,
                      protocol::to_json(protocol::SetSetting::Reply{timeout("state store")}));
        server.start();
        CHECK(run(server, {"set-timeout", "5"}).out == "timeout = 5  (state store)\n");
        CHECK(run(server, {"set-timeout", "never", "--once"}).code == ExitCode::done);
        CHECK(test::run_stillboot({"set-timeout"}).code == ExitCode::usage);
        const auto calls = server.stop();
        REQUIRE(calls.size() == 2);
        CHECK(calls[0].parameters.at("key") == "timeout");
        CHECK(calls[0].parameters.at("value") == "5");
        CHECK(calls[1].parameters.at("value") == "never");
        CHECK(calls[1].parameters.at("once") == true);
    }

    TEST_CASE("a key that is none is said") {
        ScriptedServer server;
        answer_with(server, {timeout("state store")});
        const auto ran = run(server, {"settings", "nonsense"});
        CHECK(ran.code == ExitCode::not_found);
        CHECK(ran.err.starts_with("stillboot: there is no setting nonsense\n"));
        ScriptedServer refusing;
        refusing.answer_all(protocol::SetSetting::name,
                            {protocol::refused(Message("config.setting_unknown", {{"key", "nonsense"}}))});
        refusing.start();
        for (const char* value : {"1", "--forget"}) {
            CHECK(run(refusing, {"settings", "nonsense", value}).code == ExitCode::not_found);
        }
    }

    TEST_CASE("a value goes to the store, for once, or is forgotten") {
        struct Row {
            Words words;
            const char* asked;
        };
        const Row rows[] = {
            {{"settings", "timeout", "5"}, R"({"key":"timeout","value":"5","once":false,"console":null})"},
            {{"settings", "timeout", "5", "--once"},
             R"({"key":"timeout","value":"5","once":true,"console":null})"},
            {{"settings", "timeout", "--forget"}, R"({"key":"timeout","value":null,"once":false,"console":null})"},
            {{"settings", "timeout", "--forget", "--once"},
             R"({"key":"timeout","value":null,"once":true,"console":null})"},
        };
        for (const Row& row : rows) {
            ScriptedServer server;
            server.answer(protocol::SetSetting::name,
                          protocol::to_json(protocol::SetSetting::Reply{timeout("state store", "5")}));
            server.start();
            const auto ran = run(server, row.words);
            CHECK(ran.code == ExitCode::done);
            CHECK(ran.out == "timeout = 5  (state store)\n");
            const auto calls = server.stop();
            REQUIRE(calls.size() == 1);
            CHECK(boost::json::serialize(calls[0].parameters) == row.asked);
        }
    }

    TEST_CASE("a refusal is said with what would be accepted") {
        ScriptedServer server;
        server.answer_all(protocol::SetSetting::name,
                          {protocol::refused(Message("config.setting_at_start", {{"key", "listen"}}))});
        server.start();
        const auto ran = run(server, {"settings", "listen", "[::]:1"});
        CHECK(ran.code == ExitCode::refused);
        CHECK(ran.err.find("listen is read when stillbootd starts") != std::string::npos);
    }

    TEST_CASE("what makes no sense together is a mistake in the command line") {
        CHECK(test::run_stillboot({"settings", "timeout", "5", "--forget"}).code == ExitCode::usage);
        CHECK(test::run_stillboot({"settings", "--forget"}).code == ExitCode::usage);
        CHECK(test::run_stillboot({"settings", "timeout", "--once"}).code == ExitCode::usage);
    }
}

TEST_SUITE("cli system") {
    TEST_CASE("the machine is described, and what it does not say is unknown") {
        protocol::GetSystem::Reply reply;
        reply.system.model = "PowerEdge";
        reply.system.processors = 2;
        reply.system.memory_bytes = 4096;
        reply.system.interfaces = {{"eth0", "52:54:00:12:34:56", true, 1000, {"192.0.2.7/24"}}};
        ScriptedServer server;
        server.answer(protocol::GetSystem::name, protocol::to_json(reply));
        server.start();
        const auto ran = run(server, {"system"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out.find("model: PowerEdge\nfirmware: unknown\nprocessors: 2 \n") == 0);
        CHECK(ran.out.find("state store: none\n") != std::string::npos);
        CHECK(ran.out.find("interface: eth0 52:54:00:12:34:56, link at 1000 Mbit/s, 192.0.2.7/24\n") !=
              std::string::npos);
    }

    TEST_CASE("the times of the stages are a table, or JSON") {
        protocol::GetTimes::Reply reply;
        reply.boot_ms = 1500;
        reply.stages = {{"started", 0}, {"settled", 250}};
        ScriptedServer server;
        server.answer(protocol::GetTimes::name, protocol::to_json(reply));
        server.start();
        CHECK(run(server, {"times"}).out ==
              "   boot   start  stage\n  1.500   0.000  started\n  1.750   0.250  settled (+0.250)\n");
        CHECK(run(server, {"times", "--json=short"}).out ==
              "{\"boot_ms\":1500,\"stages\":[{\"name\":\"started\",\"at_ms\":0},{\"name\":\"settled\",\"at_ms\":"
              "250}]}\n");
    }
}
