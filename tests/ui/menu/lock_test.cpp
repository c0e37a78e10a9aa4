// SPDX-License-Identifier: Apache-2.0
// The menu on a console that is locked.
#include <doctest/doctest.h>
#include <locale.h>

#include "tests/ui/menu/samples.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
namespace action = stillboot::menu::action;
using menu::Actions;
using menu::Key;
using protocol::Phase;
using test::counting_state;
using test::Menu;

namespace {

const bool locale_is_set = ::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
constexpr menu::Look console{24, 80, menu::Charset::utf8, true};

protocol::State locking(protocol::State state, std::chrono::seconds after = 0s) {
    state.lock = true;
    state.lock_after_ms = static_cast<std::uint64_t>(std::chrono::milliseconds(after).count());
    return state;
}

protocol::State reading() {
    auto state = test::state(Phase::discovering);
    state.lock_unknown = true;
    return state;
}

Error wrong(std::int64_t wait_ms) {
    return Error("daemon.wrong_password", {{"wait_ms", wait_ms}});
}

struct ConsoleMenu : Menu {
    explicit ConsoleMenu(protocol::State first) : Menu(std::move(first), console) {}
    Actions give(const std::string& password) {
        for (const char c : password) {
            CHECK(type(std::string(1, c)).empty());
        }
        return key(Key::enter);
    }
    // As the daemon answers the right password.
    Actions unlock() {
        CHECK(give("horse") == Actions{action::Unlock{"horse"}});
        return view.on_unlocked(now);
    }
};

struct LockedMenu : ConsoleMenu {
    explicit LockedMenu(protocol::State first) : ConsoleMenu(locking(std::move(first))) {}
};

}  // namespace

TEST_SUITE("menu lock") {
    TEST_CASE("at a locked console one may look, and nothing stops the clock") {
        REQUIRE(locale_is_set);
        LockedMenu menu(counting_state("sda2/0", 60'000));
        CHECK(menu.shows("locked   3 entries on 5 devices"));
        CHECK(menu.shows("Debian GNU/Linux starts in 60 seconds."));
        CHECK(menu.shows("This console is locked: no key stops this. l asks for the password."));
        CHECK_FALSE(menu.shows("Press any key"));
        CHECK(menu.key(Key::down).empty());
        CHECK(menu.highlighted() == " ►     Debian (recovery mode)");
        CHECK(menu.type("z").empty());
        CHECK(menu.type("d").empty());
        CHECK(menu.shows("root=/dev/sda2 ro quiet"));
        CHECK(menu.key(Key::escape).empty());
        CHECK(menu.type("i") == Actions{action::AskSystem{}});
        CHECK(menu.type("c") == Actions{action::AskSettings{}});
    }

    TEST_CASE("the same machine by ssh is not locked") {
        Menu menu(locking(counting_state("sda2/0", 60'000)));
        CHECK(menu.shows("Press any key to stop this"));
        CHECK(menu.type("s") == Actions{action::Cancel{}, action::OpenShell{}});
        CHECK(menu.type("l").empty());
        CHECK(menu.shows("Nothing is locked here"));
    }

    TEST_CASE("whatever needs more than to look asks for the password, and is done once it is given") {
        struct Row {
            const char* name;
            menu::KeyPress key;
            Actions done;
        };
        const Row rows[] = {
            {"boot", {Key::enter, ""}, {action::Boot{"sda2/0", std::nullopt}}},
            {"rescan", {Key::character, "r"}, {action::Rescan{}}},
            {"shell", {Key::character, "s"}, {action::OpenShell{}}},
            {"quit", {Key::control, "c"}, {action::Quit{}}},
        };
        for (const Row& row : rows) {
            INFO(std::string(row.name));
            LockedMenu menu(test::state(Phase::idle));
            CHECK(menu.view.on_key(row.key, menu.now).empty());
            CHECK(menu.shows("Password:\n"));
            CHECK(menu.shows("Type the password of this console"));
            CHECK(menu.unlock() == row.done);
            CHECK(menu.shows("This console is unlocked."));
            CHECK(menu.view.on_key(row.key, menu.now) == row.done);
        }
    }

    TEST_CASE("a restart is asked twice: whether it is meant, and for the password") {
        LockedMenu menu(test::state(Phase::idle));
        CHECK(menu.type("t").empty());
        CHECK(menu.shows("Restart this machine?"));
        CHECK(menu.type("y").empty());
        CHECK(menu.unlock() == Actions{action::Restart{}});
        (void)menu.type("p");
        CHECK(menu.type("y") == Actions{action::PowerOff{}});
    }

    TEST_CASE("to edit asks for the password first, and opens the editor after it") {
        LockedMenu menu(test::state(Phase::idle));
        CHECK(menu.type("e").empty());
        CHECK_FALSE(menu.shows("Edit the command line"));
        CHECK(menu.unlock().empty());
        CHECK(menu.shows("Edit the command line"));
        CHECK(menu.key(Key::enter) == Actions{action::Boot{"sda2/0", "root=/dev/sda2 ro quiet"}});
    }

    TEST_CASE("a setting is typed once the password is given, and not before") {
        LockedMenu menu(test::state(Phase::idle));
        (void)menu.type("c");
        (void)menu.view.on_settings({{"timeout", "10", "built-in default", std::nullopt, true}});
        CHECK(menu.key(Key::enter).empty());
        CHECK(menu.shows("With it the editor opens."));
        CHECK(menu.unlock().empty());
        (void)menu.type("0");
        CHECK(menu.key(Key::enter) == Actions{action::Set{"timeout", "100", false}});
        (void)menu.view.on_settings({{"timeout", "100", "state store", "100", true}});
        CHECK(menu.shows("timeout is now 100 (state store)."));
    }

    TEST_CASE("the prompt names what the password will do, and forgets it when it is left alone") {
        LockedMenu menu(test::state(Phase::idle));
        (void)menu.type("p");
        CHECK(menu.type("y").empty());
        CHECK(menu.shows("With it this machine is switched off."));
        CHECK(menu.view.until_tick(menu.now) == 30'000ms);
        menu.now += 29s;
        (void)menu.type("h");
        menu.now += 29s;
        (void)menu.view.on_tick(menu.now);
        CHECK(menu.shows("Password: *"));
        menu.now += 1s;
        (void)menu.view.on_tick(menu.now);
        CHECK_FALSE(menu.shows("Password:"));
        (void)menu.key(Key::enter);
        CHECK(menu.shows("With it Debian GNU/Linux is started."));
        menu.now += 31s;
        CHECK(menu.type("l").empty());
        CHECK(menu.unlock().empty());
    }

    TEST_CASE("a prompt that nothing waits for stays, and a hand-over forgets what did") {
        LockedMenu menu(test::state(Phase::idle));
        (void)menu.type("l");
        CHECK_FALSE(menu.view.until_tick(menu.now).has_value());
        (void)menu.key(Key::escape);
        (void)menu.type("s");
        menu.tell(locking(test::state(Phase::handover)));
        menu.tell(locking(test::state(Phase::idle)));
        (void)menu.type("l");
        CHECK(menu.unlock().empty());
    }

    TEST_CASE("what is typed shows as stars, the clock goes on above it, and Esc leaves") {
        LockedMenu menu(counting_state("sda2/0", 60'000));
        CHECK(menu.key(Key::enter).empty());
        (void)menu.type("s");
        (void)menu.type("é");
        (void)menu.type("c");
        CHECK(menu.shows("Password: ***\n"));
        (void)menu.key(Key::backspace);
        (void)menu.key(Key::backspace);
        CHECK(menu.shows("Password: *\n"));
        (void)menu.control("u");
        CHECK(menu.shows("Password:\n"));
        CHECK(menu.key(Key::enter).empty());
        menu.now += 1s;
        CHECK(menu.shows("Debian GNU/Linux starts in 59 seconds."));
        CHECK(menu.shows("Enter Unlock"));
        CHECK(menu.key(Key::escape).empty());
        CHECK_FALSE(menu.shows("Password:"));
        (void)menu.type("l");
        CHECK(menu.unlock() == Actions{action::Cancel{}});
        CHECK(menu.shows("The clock is stopped."));
    }

    TEST_CASE("a wrong one says so, and how long the next has to wait") {
        LockedMenu menu(test::state(Phase::idle));
        (void)menu.key(Key::enter);
        CHECK(menu.give("wrong") == Actions{action::Unlock{"wrong"}});
        CHECK(menu.shows("It is being compared."));
        CHECK(menu.give("again").empty());
        menu.view.on_unlock_refused(wrong(0), menu.now);
        CHECK(menu.shows("That was not the password. Type it again, or press Esc to go back."));
        (void)menu.control("u");
        CHECK(menu.give("wrong") == Actions{action::Unlock{"wrong"}});
        menu.view.on_unlock_refused(wrong(2'000), menu.now);
        CHECK(menu.shows("That was not the password. The next one is looked at in 2 s."));
        CHECK(menu.view.until_tick(menu.now) == 1000ms);
        CHECK(menu.give("horse").empty());
        menu.now += 1s;
        CHECK(menu.shows("The next one is looked at in 1 s."));
        menu.now += 1s;
        CHECK(menu.key(Key::enter) == Actions{action::Unlock{"horse"}});
        menu.view.on_unlock_refused(Error("daemon.try_later", {{"wait_ms", std::int64_t{7'500}}}), menu.now);
        CHECK(menu.shows("After so many wrong ones the next is looked at in 8 s."));
        menu.now += 8s;
        CHECK(menu.shows("Type the password of this console, then press Enter."));
        CHECK(menu.give("horse") == Actions{action::Unlock{"horse"}});
        menu.view.on_unlock_refused(Error("daemon.connection_ended"), menu.now);
        CHECK(menu.shows("It cannot be compared: stillbootd closed the connection"));
    }

    TEST_CASE("without a key it locks itself again, and what was open is closed") {
        LockedMenu menu(test::state(Phase::idle));
        menu.tell(locking(test::state(Phase::idle), 10s));
        (void)menu.type("e");
        (void)menu.unlock();
        CHECK(menu.view.until_tick(menu.now) == 10'000ms);
        menu.now += 6s;
        (void)menu.type("x");
        menu.now += 6s;
        CHECK(menu.view.on_tick(menu.now).empty());
        CHECK(menu.shows("Edit the command line"));
        menu.now += 4s;
        CHECK(menu.view.on_tick(menu.now) == Actions{action::Lock{}});
        CHECK_FALSE(menu.shows("Edit the command line"));
        CHECK(menu.shows("This console is locked again: no key was pressed for 10 seconds."));
        CHECK(menu.type("s").empty());
        CHECK(menu.shows("Password:\n"));
        CHECK(menu.view.until_tick(menu.now) == 30'000ms);
    }

    TEST_CASE("a key locks it at once, after what was asked before") {
        LockedMenu menu(test::state(Phase::idle));
        (void)menu.type("l");
        CHECK(menu.unlock().empty());
        menu.tell(locking(counting_state("sda2/0", 60'000)));
        CHECK(menu.type("l") == Actions{action::Cancel{}, action::Lock{}});
        CHECK(menu.shows("This console is locked now."));
        CHECK(menu.type("s").empty());
    }

    TEST_CASE("it is locked before the daemon says so, and while the daemon is away") {
        menu::ViewModel view(console, true);
        const menu::ViewModel::Instant now{};
        (void)view.on_unreachable(Error("daemon.connection_ended"), now);
        CHECK(view.screen(now).text().find("Trying again every second.\n") != std::string::npos);
        CHECK(view.on_key({Key::character, "s"}, now).empty());
        CHECK(view.screen(now).text().find("Password:") != std::string::npos);

        LockedMenu menu(test::state(Phase::idle));
        (void)menu.type("l");
        (void)menu.unlock();
        (void)menu.view.on_unreachable(Error("daemon.connection_ended"), menu.now);
        CHECK(menu.type("s").empty());
        (void)menu.key(Key::escape);
        (void)menu.view.on_connected();
        menu.tell(locking(test::state(Phase::idle)));
        CHECK(menu.type("s").empty());
    }

    TEST_CASE("before all settings are read a console opens nothing, and does then what it was asked for") {
        ConsoleMenu menu(reading());
        CHECK(menu.shows("Debian GNU/Linux"));
        CHECK(menu.type("s") == Actions{action::Cancel{}});
        CHECK(menu.shows("Whether this console is locked is not known before all settings are read."));
        CHECK(menu.view.lock().unknown());
        menu.tell(reading());
        CHECK(menu.tell(test::state(Phase::idle)) == Actions{action::Cancel{}, action::OpenShell{}});
        CHECK_FALSE(menu.shows("Whether this console"));
        CHECK(menu.type("s") == Actions{action::OpenShell{}});
    }

    TEST_CASE("another key instead drops what was asked for then, and a boot holds the clock for itself") {
        ConsoleMenu menu(reading());
        CHECK(menu.key(Key::enter) == Actions{action::Cancel{}});
        CHECK(menu.key(Key::enter).empty());
        CHECK(menu.tell(test::state(Phase::idle)) ==
              Actions{action::Cancel{}, action::Boot{"sda2/0", std::nullopt}});
        CHECK(menu.tell(counting_state("sda2/0", 60'000)).empty());
        ConsoleMenu other(reading());
        (void)other.key(Key::enter);
        (void)other.key(Key::escape);
        CHECK(other.tell(test::state(Phase::idle)).empty());
    }

    TEST_CASE("what was asked for before there was a daemon holds the clock from its first word on") {
        menu::ViewModel view(console);
        const menu::ViewModel::Instant now{};
        CHECK(view.on_key({Key::character, "s"}, now).empty());
        (void)view.on_connected();
        CHECK(view.on_change(test::machine(reading()), now) == Actions{action::Cancel{}});
    }

    TEST_CASE("what was asked for before is dropped where the console turns out to be locked") {
        ConsoleMenu menu(reading());
        CHECK(menu.type("s") == Actions{action::Cancel{}});
        CHECK(menu.tell(locking(counting_state("sda2/0", 60'000))).empty());
        CHECK(menu.type("s").empty());
        CHECK(menu.unlock() == Actions{action::OpenShell{}, action::Cancel{}});
    }

    TEST_CASE("a locked console stays locked while a daemon that was started anew reads the settings") {
        LockedMenu menu(test::state(Phase::idle));
        (void)menu.view.on_unreachable(Error("daemon.connection_ended"), menu.now);
        (void)menu.view.on_connected();
        menu.tell(reading());
        CHECK(menu.view.lock().locked());
        CHECK(menu.type("s").empty());
        CHECK(menu.shows("Password:\n"));
        (void)menu.key(Key::escape);
        menu.tell(test::state(Phase::idle));
        CHECK(menu.type("s") == Actions{action::OpenShell{}});
        menu.tell(reading());
        CHECK(menu.type("s") == Actions{action::Cancel{}, action::OpenShell{}});
    }

    TEST_CASE("a console that no daemon answers opens after a while, if nothing is known of a lock") {
        menu::ViewModel view(console);
        menu::ViewModel::Instant now{};
        const Error away("daemon.connection_ended");
        CHECK(view.on_key({Key::character, "s"}, now).empty());
        CHECK(view.on_unreachable(away, now).empty());
        now += menu::ConsoleLock::away_limit - 1s;
        CHECK(view.on_unreachable(away, now).empty());
        now += 1s;
        CHECK(view.on_unreachable(away, now) == Actions{action::OpenShell{}});
        CHECK(view.on_key({Key::character, "s"}, now) == Actions{action::OpenShell{}});
    }

    TEST_CASE("the settings lock and unlock it while it runs") {
        Menu menu(test::state(Phase::idle), console);
        (void)menu.type("e");
        menu.tell(locking(test::state(Phase::idle)));
        CHECK_FALSE(menu.shows("Edit the command line"));
        CHECK(menu.type("s").empty());
        menu.tell(test::state(Phase::idle));
        CHECK_FALSE(menu.shows("Password:"));
        CHECK(menu.type("s") == Actions{action::OpenShell{}});
    }

    TEST_CASE("a hand-over is not stopped at a locked console") {
        auto handing = test::state(Phase::handover);
        handing.would_boot = "sda2/0";
        LockedMenu menu(handing);
        CHECK(menu.shows("This console is locked: nothing here stops it."));
        CHECK(menu.key(Key::escape).empty());
        CHECK_FALSE(menu.shows("Password:"));
        handing.progress = protocol::Progress{"sda2/0", "unbind", test::said("nic"), 1, 2, 5, {}, 0};
        menu.tell(locking(handing));
        const Actions lines = menu.control("c");
        REQUIRE(lines.size() == 1);
        CHECK(std::get<action::Print>(lines[0]).line == "This console is locked: nothing here stops it.");
    }
}
