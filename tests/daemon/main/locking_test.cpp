// SPDX-License-Identifier: Apache-2.0
// Connections that may only look until the password was given.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/daemon/main/core_fixture.hpp"

using namespace stillboot;
using Fixture = test::CoreFixture;

namespace {

const std::string hash = "$6$saltsalt$abcdefgh";

server::Peer locked_console() {
    server::Peer console(0, 77);
    console.locked = true;
    return console;
}

bool logged(const Log& log, std::string_view text) {
    return std::any_of(log.lines().begin(), log.lines().end(),
                       [&](const LogEntry& line) { return line.text.find(text) != std::string::npos; });
}

struct Locked : Fixture {
    Locked() {
        CHECK(call("SetSetting", {{"key", "password"}, {"value", hash}, {"once", true}})
                  ->replies.at(0)
                  .error.empty());
        core.on_past(handover::Past());
        console.locked = true;
    }
    std::shared_ptr<test::FakeReplier> unlock(const std::string& password) {
        return call("UnlockConsole", {{"password", password}}, false, console);
    }
    // One that is looked at, and found wrong.
    std::shared_ptr<test::FakeReplier> wrong() {
        auto replier = unlock("wrong");
        REQUIRE(replier->replies.empty());
        on_checked(false);
        return replier;
    }

    server::Peer console{0, 77};
};

void say_lock(Fixture& fixture, bool lock) {
    const auto said =
        fixture.call("SetSetting", {{"key", "lock"}, {"value", lock ? "true" : "false"}, {"once", true}});
    CHECK(said->replies.at(0).error.empty());
}

void boot_by_itself(Fixture& fixture) {
    const auto said = fixture.call("SetSetting", {{"key", "boot"}, {"value", "title=a"}, {"once", true}});
    CHECK(said->replies.at(0).error.empty());
}

}  // namespace

TEST_SUITE("locking") {
    TEST_CASE_FIXTURE(Fixture,
                      "a key before the store is read does not end the strict mode that the store asks for") {
        handover::Past past;
        past.choices.emplace();
        past.settings = {{"strict", "true"}};
        bool at_console = true;
        SUBCASE("at a console") {}
        SUBCASE("elsewhere it does") {
            at_console = false;
        }
        CHECK(call("Cancel", {{"console", at_console}}, false, locked_console())->replies.at(0).error.empty());
        core.on_past(past);
        core.on_settled(true);
        CHECK(core.state().strict == at_console);
    }

    TEST_CASE_FIXTURE(Fixture, "neither an early key nor an earlier death ends a boot that a client asked for") {
        (void)call("Cancel", {{"console", true}}, false, locked_console());
        (void)call("Boot", {{"option", "a"}});
        REQUIRE(booter.requests.size() == 1);
        handover::Past past;
        past.deaths_of = "pci-1/grub/b";
        core.on_past(past);
        CHECK(booter.cancels == 0);
        CHECK(core.state().phase == protocol::Phase::handover);
    }

    TEST_CASE_FIXTURE(Locked, "whoever is locked may look and no more, root too") {
        CHECK(call("ListOptions", {}, false, console)->replies.at(0).error.empty());
        CHECK(call("GetSettings", {}, false, console)->replies.at(0).error.empty());
        for (const char* method : {"Boot", "Cancel", "Rescan", "SetDefault", "SetSetting", "Reboot", "PowerOff"}) {
            const auto replier = call(method, {}, false, console);
            CHECK(replier->replies.at(0).error == "io.stillboot.PermissionDenied");
            CHECK(replier->replies.at(0).parameters.at("has") == "look");
        }
        CHECK(booter.requests.empty());
        CHECK(restarts.empty());
    }

    TEST_CASE_FIXTURE(Locked, "who may do all may lock its connection; the others have nothing to lock") {
        const auto replier = call("LockConsole");
        CHECK(replier->replies.at(0).error.empty());
        CHECK(replier->locked == true);
        const server::Peer configures(1000, 2, protocol::Role::configure);
        const auto refused = call("LockConsole", {}, false, configures);
        CHECK(refused->replies.at(0).error == "io.stillboot.PermissionDenied");
        CHECK_FALSE(refused->locked.has_value());
    }

    TEST_CASE_FIXTURE(Locked, "the right password gives the connection back what it may") {
        const auto replier = unlock("correct horse");
        CHECK(asked_passwords == std::vector<std::string>{hash + " correct horse"});
        CHECK(replier->replies.empty());
        on_checked(true);
        CHECK(replier->replies.at(0).error.empty());
        CHECK(replier->locked == false);
        CHECK(logged(log, "user 0 (process 77) gave the password"));
        CHECK_FALSE(logged(log, "correct horse"));
    }

    TEST_CASE_FIXTURE(Locked,
                      "a wrong one is refused, logged without it, and after a few the next is not looked at") {
        for (const int wait : {0, 0, 1000}) {
            const auto replier = wrong();
            CHECK(replier->replies.at(0).error == "io.stillboot.WrongPassword");
            CHECK(replier->replies.at(0).parameters.at("wait_ms") == wait);
            CHECK_FALSE(replier->locked.has_value());
        }
        CHECK(logged(log, "user 0 (process 77) gave a wrong password; the next one has to wait 1000 ms"));
        const auto later = unlock("correct horse");
        CHECK(later->replies.at(0).error == "io.stillboot.TryLater");
        CHECK(later->replies.at(0).parameters.at("wait_ms").as_int64() > 0);
        CHECK(asked_passwords.size() == 3);
        CHECK(logged(log, "too soon: it was not looked at"));
        for (int i = 0; i < 50; ++i) {
            (void)unlock("correct horse");
        }
        CHECK(log.lines().size() < 20);
    }

    TEST_CASE_FIXTURE(Locked, "one password is looked at at a time") {
        const auto first = unlock("one");
        const auto second = unlock("two");
        CHECK(second->replies.at(0).error == "io.stillboot.TryLater");
        CHECK(second->replies.at(0).parameters.at("wait_ms") == 1000);
        CHECK(asked_passwords.size() == 1);
        on_checked(true);
        CHECK(first->locked == false);
        CHECK_FALSE(second->locked.has_value());
    }

    TEST_CASE_FIXTURE(Locked, "a check that fails is no right password, and no wrong one either") {
        const auto replier = unlock("correct horse");
        on_checked(Error("daemon.password_failed", {{"reason", "it was killed"}}));
        CHECK(sentence(*replier) == "refused: the password cannot be compared: it was killed");
        CHECK_FALSE(replier->locked.has_value());
        CHECK(logged(log, "the password cannot be compared: it was killed"));
        (void)unlock("correct horse");
        on_checked(Error("daemon.no_passwords", {{"reason", "no helper"}}));
        CHECK(asked_passwords.size() == 2);
    }

    TEST_CASE_FIXTURE(Locked, "where there is nothing to unlock it is said") {
        console.locked = false;
        CHECK(sentence(*unlock("x")) == "refused: this connection is not locked");
        console.locked = true;
        CHECK(call("SetSetting", {{"key", "password"}, {"value", "none"}, {"once", true}})
                  ->replies.at(0)
                  .error.empty());
        CHECK(sentence(*unlock("x")).find("the setting `password` is none") != std::string::npos);
        CHECK(unlock(std::string(300, 'x'))->replies.at(0).error == "org.varlink.service.InvalidParameter");
        CHECK(asked_passwords.empty());
    }

    TEST_CASE_FIXTURE(Fixture, "consoles are locked as the settings say, and watchers are told at once") {
        core.on_past(handover::Past());
        const auto watching = call("Watch", {}, true);
        CHECK_FALSE(core.state().lock);
        say_lock(*this, true);
        CHECK_FALSE(core.state().lock);
        CHECK(core.state().notices.at(0).code() == "daemon.lock_in_vain");
        CHECK(call("SetSetting", {{"key", "password"}, {"value", hash}, {"once", true}})
                  ->replies.at(0)
                  .error.empty());
        CHECK(core.state().lock);
        CHECK(core.state().lock_after_ms == 300'000);
        CHECK(core.state().notices.empty());
        const auto& told = watching->replies.back().parameters.at("change").as_object();
        CHECK(told.at("state").as_object().at("lock").as_bool());
        say_lock(*this, false);
        CHECK_FALSE(core.state().lock);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "what is to be locked is locked before anybody knows whether the store has a password") {
        say_lock(*this, true);
        CHECK(core.state().lock);
        core.on_past(handover::Past());
        CHECK_FALSE(core.state().lock);
    }

    TEST_CASE_FIXTURE(Fixture, "before the store was read the lock is not known, and no password is right") {
        CHECK(core.state().lock_unknown);
        CHECK_FALSE(core.state().lock);
        const server::Peer console = locked_console();
        CHECK(sentence(*call("UnlockConsole", {{"password", "x"}}, false, console)) ==
              "refused: the settings are still being read, and no password is compared before");
        const auto watching = call("Watch", {}, true);
        core.on_past(handover::Past());
        CHECK_FALSE(core.state().lock_unknown);
        const auto& told = watching->replies.back().parameters.at("change").as_object();
        CHECK_FALSE(told.at("state").as_object().at("lock_unknown").as_bool());
    }

    TEST_CASE("without a state store the lock is known at once") {
        Fixture fixture("stillboot.state_store=none");
        CHECK_FALSE(fixture.core.state().lock_unknown);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a cancel of a locked console counts once it is known that consoles are not locked") {
        boot_by_itself(*this);
        CHECK(call("Cancel", {}, false, locked_console())->replies.at(0).error.empty());
        core.on_past(handover::Past());
        core.on_settled(true);
        CHECK(core.state().phase == protocol::Phase::idle);
    }

    TEST_CASE_FIXTURE(Fixture, "and does not where the store locks them") {
        boot_by_itself(*this);
        CHECK(call("Cancel", {}, false, locked_console())->replies.at(0).error.empty());
        handover::Past past;
        past.choices = handover::Choices();
        past.settings = {{"lock", "true"}, {"password", hash}};
        core.on_past(past);
        CHECK(core.state().lock);
        core.on_settled(true);
        CHECK(core.state().phase == protocol::Phase::countdown);
        CHECK(call("Cancel", {}, false, locked_console())->replies.at(0).error == "io.stillboot.PermissionDenied");
    }

    TEST_CASE_FIXTURE(Fixture, "a build without passwords takes none, and says that its consoles stay locked") {
        why_no_passwords = Error("daemon.no_passwords", {{"reason", "no helper"}});
        const auto refused = call("SetSetting", {{"key", "password"}, {"value", hash}});
        CHECK(refused->replies.at(0).error == "io.stillboot.NotInThisBuild");
        CHECK(booter.settings.empty());
        say_lock(*this, true);
        CHECK(logged(log, "consoles stay locked whatever is typed: passwords are not in this build"));
    }

    TEST_CASE_FIXTURE(test::KnownStore,
                      "a hash that no password can match is refused, and so is one that cannot be tried") {
        can_match = false;
        CHECK(sentence(*call("SetSetting", {{"key", "password"}, {"value", hash}})) ==
              "refused: no password could ever match this hash: stillboot password makes one that can be matched");
        can_match = Error("daemon.password_failed", {{"reason", "it was killed"}});
        CHECK(sentence(*call("SetSetting", {{"key", "password"}, {"value", hash}})) ==
              "refused: the password cannot be compared: it was killed");
        CHECK(booter.settings.empty());
        CHECK(call("SetSetting", {{"key", "password"}, {"value", "none"}})->replies.at(0).error.empty());
    }

    TEST_CASE_FIXTURE(Locked, "wrong passwords at one terminal do not make another wait") {
        for (int i = 0; i < 5; ++i) {
            console.terminal = 1088;
            (void)unlock("wrong");
            on_checked(false);
        }
        CHECK(unlock("correct horse")->replies.at(0).error == "io.stillboot.TryLater");
        console.terminal = 1025;
        CHECK(unlock("correct horse")->replies.empty());
    }

    TEST_CASE_FIXTURE(test::KnownStore, "only who may do all changes who may do all at a console") {
        const server::Peer configures(1000, 2, protocol::Role::configure);
        for (const char* key : {"password", "lock", "lock_after"}) {
            const auto replier = call("SetSetting", {{"key", key}}, false, configures);
            CHECK(replier->replies.at(0).error == "io.stillboot.PermissionDenied");
            CHECK(replier->replies.at(0).parameters.at("needed") == "all");
        }
        CHECK(call("SetSetting", {{"key", "timeout"}, {"value", "3"}}, false, configures)
                  ->replies.at(0)
                  .error.empty());
    }

    TEST_CASE_FIXTURE(test::KnownStore, "no client and no line of the log ever sees the hash") {
        const auto said = call("SetSetting", {{"key", "password"}, {"value", hash}});
        const auto setting = boost::json::serialize(said->replies.at(0).parameters);
        CHECK(
            setting ==
            R"({"setting":{"key":"password","value":"set","origin":"state store","stored":"set","any_time":true}})");
        CHECK(booter.settings == std::vector<SettingText>{{"password", hash}});
        CHECK(settings.now().password.value.text == hash);
        const auto all = boost::json::serialize(call("GetSettings")->replies.at(0).parameters);
        CHECK(all.find("saltsalt") == std::string::npos);
        const auto bad = call("SetSetting", {{"key", "password"}, {"value", "hunter2"}});
        CHECK(sentence(*bad) ==
              "refused: password must be a hash, as stillboot password makes it of a password, or \"none\", not "
              "this");
        for (const LogEntry& line : log.lines()) {
            CHECK(line.text.find("saltsalt") == std::string::npos);
            CHECK(line.text.find("hunter2") == std::string::npos);
        }
    }
}
