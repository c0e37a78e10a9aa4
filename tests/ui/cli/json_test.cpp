// SPDX-License-Identifier: Apache-2.0
// The JSON of each verb that asks the daemon is what the method answers, and stillboot(1) says so.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "daemon/protocol/json.hpp"
#include "tests/ui/cli/scripted_server.hpp"

using namespace stillboot;
using test::run;
using test::ScriptedServer;
using Words = std::vector<std::string>;

namespace {

// The paragraph of a verb in the section of the man page, or nothing.
std::string paragraph_of(const std::string& verb) {
    const char* const path = std::getenv("STILLBOOT_MAN_PAGE");
    REQUIRE(path != nullptr);
    std::ostringstream page;
    page << std::ifstream(path).rdbuf();
    std::string section = page.str();
    section = section.substr(section.find("# JSON OUTPUT"));
    section = section.substr(0, section.find("\n# "));
    const std::size_t at = section.find("*" + verb + "*");
    return at == section.npos ? "" : section.substr(at, section.find("\n\n", at) - at);
}

// @param within  the field of the reply that is printed; empty: all of it
// @param err  what is said of the server, which goes after its one reply
template <class Method>
void pin(const Words& words, const typename Method::Reply& reply, const std::string& within = "",
         const std::string& err = "") {
    std::string verb = words.front();
    CAPTURE(verb);
    const boost::json::value json = protocol::to_json(reply);
    ScriptedServer server;
    server.answer(Method::name, json);
    server.start();
    Words all = words;
    all.emplace_back("--json=short");
    const auto ran = run(server, all);
    CHECK(ran.err == err);
    CHECK(ran.out == boost::json::serialize(within.empty() ? json : json.at(within)) + "\n");
    const std::string told = paragraph_of(verb);
    CAPTURE(told);
    const auto method = std::string(Method::name.substr(protocol::interface_name.size() + 1));
    CHECK(told.find(within.empty() ? method : "State") != told.npos);
}

template <class Reply>
Reply with(void (*fill)(Reply&)) {
    Reply reply;
    fill(reply);
    return reply;
}

}  // namespace

TEST_SUITE("cli json") {
    TEST_CASE("what reads prints the reply as it came") {
        pin<protocol::GetState>({"status"}, with<protocol::GetState::Reply>([](auto& reply) {
                                    reply.state.why = Message("daemon.why_discovering");
                                }),
                                "state");
        pin<protocol::ListOptions>({"list"}, with<protocol::ListOptions::Reply>([](auto& reply) {
                                       reply.options.resize(1);
                                       reply.options[0].kernel.path = "/k";
                                   }));
        pin<protocol::ListDevices>(
            {"devices"}, with<protocol::ListDevices::Reply>([](auto& reply) { reply.devices.resize(2); }));
        pin<protocol::ListClients>(
            {"clients"}, with<protocol::ListClients::Reply>([](auto& reply) { reply.clients.resize(2); }));
        pin<protocol::GetSystem>(
            {"system"}, with<protocol::GetSystem::Reply>([](auto& reply) { reply.system.interfaces.resize(1); }));
        pin<protocol::GetTimes>({"times"},
                                with<protocol::GetTimes::Reply>([](auto& reply) { reply.stages.resize(2); }));
        pin<protocol::GetSettings>(
            {"settings"}, with<protocol::GetSettings::Reply>([](auto& reply) { reply.settings.resize(2); }));
        pin<protocol::GetLog>({"log"}, with<protocol::GetLog::Reply>([](auto& reply) { reply.lines.resize(2); }));
    }

    TEST_CASE("what acts prints the reply as it came") {
        pin<protocol::Boot>({"boot", "a"}, with<protocol::Boot::Reply>([](auto& reply) { reply.option = "d/a"; }));
        pin<protocol::Cancel>({"cancel"}, {protocol::Cancelled::countdown});
        pin<protocol::Rescan>({"rescan"}, {});
        pin<protocol::AddConfiguration>({"add", "d:/x"}, {{"d/grub/x"}, {}});
        pin<protocol::SetDefault>({"set-default", "a"}, {"d/a"});
        pin<protocol::SetOneShot>({"set-oneshot", "a"}, {"d/a"});
        pin<protocol::SetSetting>({"settings", "timeout", "5"}, {});
        pin<protocol::SetSetting>({"set-timeout", "5"}, {});
        pin<protocol::Reboot>({"reboot"}, {});
        pin<protocol::PowerOff>({"poweroff"}, {});
    }

    TEST_CASE("what goes on prints one reply in a line") {
        pin<protocol::GetLog>({"log", "--follow"},
                              with<protocol::GetLog::Reply>([](auto& reply) { reply.lines.resize(1); }));
        pin<protocol::Boot>(
            {"boot", "a", "--wait"}, with<protocol::Boot::Reply>([](auto& reply) { reply.option = "d/a"; }), "",
            "stillboot: stillbootd closed the connection\nIs stillbootd running? Another socket is "
            "given by --host unix:PATH\n");
    }

    TEST_CASE("the plan of another machine is a QuiescePlan") {
        const protocol::QuiescePlan plan;
        ScriptedServer server;
        server.answer(protocol::GetQuiescePlan::name, {{"plan", protocol::to_json(plan)}});
        server.start();
        CHECK(run(server, {"quiesce", "plan", "--json=short"}).out ==
              boost::json::serialize(protocol::to_json(plan)) + "\n");
        CHECK(paragraph_of("quiesce plan").find("QuiescePlan") != std::string::npos);
    }

    TEST_CASE("every verb with something to print has its form in the man page") {
        for (const char* verb : {"report", "wait", "password", "explain", "quiesce verify", "quiesce run",
                                 "quiesce learned", "quiesce rules", "quiesce report", "quiesce record"}) {
            CAPTURE(verb);
            CHECK_FALSE(paragraph_of(verb).empty());
        }
    }
}
