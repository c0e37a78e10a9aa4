// SPDX-License-Identifier: Apache-2.0
#include "ui/menu/view_model.hpp"

#include <doctest/doctest.h>
#include <locale.h>

#include <algorithm>

#include "tests/ui/menu/samples.hpp"

using namespace std::chrono_literals;
namespace action = stillboot::menu::action;
using stillboot::Error;
using stillboot::menu::Actions;
using stillboot::menu::Charset;
using stillboot::menu::Key;
using stillboot::protocol::Change;
using stillboot::protocol::Phase;
using stillboot::test::counting_state;
using stillboot::test::Menu;
using stillboot::test::said;
using stillboot::test::state;

namespace {

const bool locale_is_set = ::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;

template <class T>
bool holds(const Actions& actions) {
    return std::any_of(actions.begin(), actions.end(), [](const auto& a) { return std::holds_alternative<T>(a); });
}

stillboot::protocol::State handing_over(const std::string& step, std::uint64_t done = 0, std::uint64_t total = 0) {
    auto made = state(Phase::handover);
    made.would_boot = "sda2/0";
    made.progress = stillboot::protocol::Progress{"sda2/0", step, said("doing " + step), done, total, 1234, {}, 0};
    return made;
}

}  // namespace

TEST_SUITE("menu") {
    TEST_CASE("any key stops the clock, once, and still does what it does") {
        REQUIRE(locale_is_set);
        Menu menu(counting_state("sda2/0", 10'000));
        CHECK(menu.key(Key::down) == Actions{action::Cancel{}});
        CHECK(menu.highlighted() == " ►     Debian (recovery mode)");
        CHECK(menu.shows("The clock is stopped. Nothing starts by itself."));
        CHECK(menu.key(Key::up).empty());
        CHECK(menu.type("z").empty());
        menu.tell(state(Phase::idle));
        menu.tell(counting_state("sda2/0", 5'000));
        CHECK(menu.type("z") == Actions{action::Cancel{}});
    }

    TEST_CASE("in strict mode no key of a console stops the clock; elsewhere one does") {
        auto strict = counting_state("sda2/0", 10'000);
        strict.strict = true;
        Menu at_console(strict, {24, 80, Charset::utf8, true});
        CHECK(at_console.shows("Strict mode: no key stops this."));
        CHECK(at_console.type("z").empty());
        CHECK(at_console.key(Key::down).empty());
        CHECK_FALSE(at_console.shows("Press any key"));
        CHECK(at_console.type("s").empty());
        CHECK(at_console.shows("Strict mode: no key stops this."));
        Menu by_ssh(strict);
        CHECK(by_ssh.shows("Press any key to stop this"));
        CHECK(by_ssh.type("z") == Actions{action::Cancel{}});
    }

    TEST_CASE("where strict mode ends in a shell, a console opens one, once, and nobody else does") {
        auto ended = state(Phase::idle);
        Menu at_console(ended, {24, 80, Charset::utf8, true});
        Menu by_ssh(ended);
        ended.shell = true;
        CHECK(at_console.tell(ended) == Actions{action::OpenShell{}});
        CHECK(at_console.tell(ended).empty());
        CHECK(by_ssh.tell(ended).empty());
    }

    TEST_CASE("what is waited for is said, and a key stops the waiting") {
        auto waiting = state(Phase::waiting);
        waiting.why = stillboot::Message("daemon.why_waiting", {{"by", "what the rule id=x names (boot, f:1)"}});
        Menu menu(waiting);
        CHECK(menu.shows("Now waiting for what the rule id=x names (boot, f:1), before anything"));
        CHECK(menu.type("z") == Actions{action::Cancel{}});
        CHECK(menu.shows("The clock is stopped."));
    }

    TEST_CASE("Enter in a countdown boots the entry, and no cancel can overtake it") {
        Menu menu(counting_state("sda2/0", 10'000));
        CHECK(menu.key(Key::enter) == Actions{action::Boot{"sda2/0", std::nullopt}});
        CHECK(menu.shows("Debian GNU/Linux is asked to start."));
    }

    TEST_CASE("Enter on an entry that waits stops the clock and says what is missing") {
        Menu menu(counting_state("sda2/0", 10'000));
        menu.key(Key::down);
        menu.tell(counting_state("sda2/0", 9'000));
        menu.tell(state(Phase::idle));
        menu.tell(counting_state("sda2/0", 9'000));
        menu.key(Key::down);
        menu.tell(state(Phase::idle));
        CHECK(menu.key(Key::enter).empty());
        CHECK(menu.shows("Fedora cannot start yet: no device with uuid 1f2e is present"));
    }

    TEST_CASE("a key while devices are still looked for prevents the countdown that would follow") {
        Menu menu(state(Phase::discovering));
        CHECK(menu.shows("Looking for systems to boot on every disk."));
        CHECK(menu.key(Key::down) == Actions{action::Cancel{}});
        CHECK(menu.key(Key::down).empty());
        CHECK(menu.tell(counting_state("sda2/0", 10'000)) == Actions{action::Cancel{}});
        menu.tell(state(Phase::idle));
        CHECK(menu.tell(counting_state("sda2/0", 10'000)).empty());
    }

    TEST_CASE("the clock counts whole seconds down between the daemon's messages") {
        Menu menu(counting_state("sda2/0", 2'500));
        CHECK(menu.shows("Debian GNU/Linux starts in 3 seconds."));
        CHECK(menu.view.until_tick(menu.now) == 500ms);
        menu.now += 500ms;
        CHECK(menu.shows("Debian GNU/Linux starts in 2 seconds."));
        CHECK(menu.view.until_tick(menu.now) == 1000ms);
        menu.now += 1000ms;
        CHECK(menu.shows("Debian GNU/Linux starts in 1 second."));
        menu.now += 5000ms;
        CHECK(menu.shows("Debian GNU/Linux starts now."));
        menu.tell(state(Phase::idle));
        CHECK_FALSE(menu.view.until_tick(menu.now).has_value());
    }

    TEST_CASE("until a key is pressed the highlight follows what would boot, and then stays where it is") {
        Menu menu(counting_state("sda2/0", 10'000));
        menu.tell(counting_state("sda2/1", 10'000));
        CHECK(menu.highlighted() ==
              " ► *   Debian (recovery mode)                                           default");
        menu.key(Key::up);
        menu.tell(counting_state("sda2/1", 10'000));
        CHECK(menu.highlighted() ==
              " ►   Debian GNU/Linux                                    default of this device");
    }

    TEST_CASE("an entry that disappears leaves the highlight on what took its place") {
        Menu menu(state(Phase::idle));
        menu.key(Key::down);
        Change gone;
        gone.options_removed = {"sda2/1"};
        (void)menu.view.on_change(gone, menu.now);
        CHECK(menu.highlighted().find("Fedora") != std::string::npos);
        gone.options_removed = {"sda2/0", "sdb1/0"};
        gone.devices_removed = {"sda1", "sda2", "sdb1", "sdc1", "sdd"};
        (void)menu.view.on_change(gone, menu.now);
        CHECK(menu.highlighted().empty());
        CHECK(menu.shows("Nothing to boot was found."));
        CHECK(menu.key(Key::enter).empty());
        CHECK(menu.key(Key::down).empty());
        CHECK(menu.type("e").empty());
    }

    TEST_CASE("an edited command line boots with exactly what was typed") {
        Menu menu(state(Phase::idle));
        menu.type("e");
        CHECK(menu.shows("Edit the command line"));
        menu.control("w");
        for (const std::string letter : {"s", "i", "n", "g", "l", "e"}) {
            menu.type(letter);
        }
        CHECK(menu.shows("  root=/dev/sda2 ro single\n"));
        CHECK(menu.view.screen(menu.now).cursor->column == 2 + 24);
        CHECK(menu.key(Key::enter) == Actions{action::Boot{"sda2/0", "root=/dev/sda2 ro single"}});
        CHECK(menu.shows("Nothing starts by itself."));
    }

    TEST_CASE("Esc leaves the editor and boots nothing") {
        Menu menu(state(Phase::idle));
        menu.type("e");
        menu.type("x");
        CHECK(menu.key(Key::escape).empty());
        CHECK_FALSE(menu.shows("Edit the command line"));
    }

    TEST_CASE("restart and power off ask first, and only y does it") {
        Menu menu(state(Phase::idle));
        CHECK(menu.type("t").empty());
        CHECK(menu.shows("Restart this machine?"));
        CHECK(menu.key(Key::enter).empty());
        menu.type("t");
        CHECK(menu.type("y") == Actions{action::Restart{}});
        menu.type("p");
        CHECK(menu.shows("Switch this machine off?"));
        CHECK(menu.type("y") == Actions{action::PowerOff{}});
        CHECK(menu.type("y").empty());
    }

    TEST_CASE("rescan, shell, quit and redraw are asked for") {
        Menu menu(state(Phase::idle));
        CHECK(menu.type("r") == Actions{action::Rescan{}});
        CHECK(menu.type("s") == Actions{action::OpenShell{}});
        CHECK(menu.control("l") == Actions{action::Redraw{}});
        CHECK(menu.type("q") == Actions{action::Quit{}});
    }

    TEST_CASE("a refused call is shown until the next key") {
        Menu menu(state(Phase::idle));
        (void)menu.view.on_failure(Error("daemon.not_permitted"));
        CHECK(menu.shows("  the service does not permit this\n"));
        menu.key(Key::down);
        CHECK_FALSE(menu.shows("does not permit this"));
    }

    TEST_CASE("the reason of a failed boot stands at the top, once") {
        Menu menu(state(Phase::idle));
        auto failed = state(Phase::idle);
        failed.last_failure = said("the kernel image is cut short");
        menu.tell(failed);
        (void)menu.view.on_failure(Error("daemon.boot_failed", {{"reason", "the kernel image is cut short"}}));
        CHECK(menu.shows("  The last boot did not happen: the kernel image is cut short\n"));
        const std::string all = menu.text();
        CHECK(all.find("cut short") == all.rfind("cut short"));
    }

    TEST_CASE("a better default that comes later is announced") {
        Menu menu(state(Phase::idle));
        auto better = state(Phase::idle);
        better.better_default = "sdb1/0";
        menu.tell(better);
        CHECK(menu.shows("Fedora came later and would now be the default; it is not taken by itself."));
    }

    TEST_CASE("a boot under way is a page until the commit; Esc asks for a stop, other keys do nothing") {
        Menu menu(counting_state("sda2/0", 10'000));
        CHECK(menu.tell(handing_over("fetch", 30'000'000, 60'000'000)).empty());
        CHECK(menu.shows("  Starting Debian GNU/Linux"));
        CHECK(menu.shows("30 MB of 60 MB"));
        CHECK(menu.key(Key::enter).empty());
        CHECK(menu.type("q").empty());
        CHECK(menu.key(Key::escape) == Actions{action::Cancel{}});
    }

    TEST_CASE("from the commit on plain lines are printed, each once, and an undo brings the menu back") {
        Menu menu(state(Phase::idle));
        menu.tell(handing_over("trial-load"));
        const Actions left = menu.tell(handing_over("commit"));
        CHECK(left == Actions{action::LeaveScreen{},
                              action::Print{"Stillboot hands over to Debian GNU/Linux. All devices are brought to "
                                            "rest first."},
                              action::Print{"Press Ctrl-C to stop and put everything back."},
                              action::Print{"   1.2 s  commit: doing commit"}});
        CHECK(menu.tell(handing_over("commit")).empty());
        CHECK(menu.tell(handing_over("unbind", 3, 19)) ==
              Actions{action::Print{"   1.2 s  unbind 3/19: doing unbind"}});
        auto waiting = handing_over("unbind", 3, 19);
        waiting.progress->elapsed_ms = 9'200;
        waiting.progress->left_ms = 56'200;
        waiting.progress->active = {{"0000:00:04.0", "megaraid_sas", 3'800, true}, {"eth0", "e1000", 100, false}};
        CHECK(menu.tell(waiting) ==
              Actions{action::Print{
                  "   9.2 s  unbind 3/19: 57 s left at most; 0000:00:04.0 (megaraid_sas) 3.8 s, t…", true}});
        CHECK(menu.key(Key::enter).empty());
        CHECK(holds<action::Cancel>(menu.control("c")));
        auto back = state(Phase::idle);
        back.last_failure = said("the load was refused");
        CHECK(menu.tell(back) == Actions{action::EnterScreen{}});
        CHECK(menu.shows("The last boot did not happen: the load was refused"));
    }

    TEST_CASE("a menu that starts in the middle of a hand-over prints lines at once") {
        Menu menu(handing_over("unbind", 1, 2));
        CHECK(holds<action::LeaveScreen>(menu.actions));
    }

    TEST_CASE("a daemon that does not answer is said, and the list comes back with it") {
        Menu menu(state(Phase::idle));
        (void)menu.view.on_unreachable(Error("daemon.connection_ended"), menu.now);
        CHECK(menu.shows("The Stillboot daemon does not answer."));
        CHECK(menu.shows("  stillbootd closed the connection\n"));
        CHECK(menu.shows("Trying again every second."));
        CHECK_FALSE(menu.shows("Debian"));
        CHECK(menu.key(Key::down).empty());
        CHECK(menu.type("s") == Actions{action::OpenShell{}});
        (void)menu.view.on_connected();
        (void)menu.view.on_change(stillboot::test::machine(state(Phase::idle)), menu.now);
        CHECK(menu.shows("Debian GNU/Linux"));
    }

    TEST_CASE("a daemon that ends in the middle of a hand-over is said in a line, and a key brings the menu") {
        Menu menu(handing_over("unbind", 1, 2));
        const Actions lost = menu.view.on_unreachable(Error("daemon.connection_ended"), menu.now);
        CHECK(lost == Actions{action::Print{
                          "The connection to the Stillboot daemon ended: stillbootd closed the connection"}});
        CHECK(menu.key(Key::enter) == Actions{action::EnterScreen{}});
        CHECK(menu.shows("The Stillboot daemon does not answer."));
    }

    TEST_CASE("log lines come once, in order, and the page of the log follows them") {
        Menu menu(state(Phase::idle));
        using stillboot::protocol::LogSeverity;
        (void)menu.view.on_log(
            {{1, 0, LogSeverity::info, "one", {}, {}}, {2, 0, LogSeverity::error, "two", {}, {}}});
        (void)menu.view.on_log(
            {{2, 0, LogSeverity::error, "two", {}, {}}, {3, 0, LogSeverity::info, "three", {}, {}}});
        menu.type("m");
        CHECK(menu.shows("[Problems]  log"));
        menu.key(Key::tab);
        CHECK(menu.shows("  00:00:00       one\n  00:00:00       two\n  00:00:00       three\n"));
        (void)menu.view.on_log({{4, 0, LogSeverity::info, "four", {}, {}}});
        CHECK(menu.shows("four"));
        menu.key(Key::escape);
        CHECK(menu.shows("Samsung, part 2"));
    }

    TEST_CASE("a log that is told from its beginning again replaces the one before, whatever its numbers") {
        Menu menu(state(Phase::idle));
        using stillboot::protocol::LogSeverity;
        (void)menu.view.on_log({{8, 0, LogSeverity::info, "old", {}, {}}}, true);
        (void)menu.view.on_log({{1, 0, LogSeverity::info, "new", {}, {}}}, true);
        menu.type("m");
        menu.key(Key::tab);
        CHECK(menu.shows("new"));
        CHECK_FALSE(menu.shows("old"));
    }

    TEST_CASE("a connection that goes on brings back what was there, and one that is whole replaces it") {
        Menu menu(state(Phase::idle));
        (void)menu.view.on_unreachable(Error("daemon.connection_ended"), menu.now);
        (void)menu.view.on_unreachable(Error("daemon.connection_ended"), menu.now);
        CHECK_FALSE(menu.shows("Debian"));
        (void)menu.view.on_connected();
        (void)menu.view.on_change(Change(), menu.now);
        CHECK(menu.shows("Debian GNU/Linux"));
        (void)menu.view.on_unreachable(Error("daemon.connection_ended"), menu.now);
        (void)menu.view.on_connected();
        Change whole;
        whole.whole = true;
        whole.state = state(Phase::idle);
        (void)menu.view.on_change(whole, menu.now);
        CHECK_FALSE(menu.shows("Debian"));
    }

    TEST_CASE("two thousand options are drawn and moved through quickly enough for a slow machine") {
        Menu menu(state(Phase::idle));
        Change many;
        for (std::uint32_t i = 0; i < 2000; ++i) {
            many.options.push_back(stillboot::test::option("sda2/n" + std::to_string(i),
                                                           "Entry " + std::to_string(i), "sda2", 10 + i));
        }
        (void)menu.view.on_change(many, menu.now);
        menu.key(Key::end);
        CHECK(menu.highlighted().find("Flash Disk") != std::string::npos);
        menu.key(Key::home);
        CHECK(menu.highlighted().find("Debian GNU/Linux") != std::string::npos);
        menu.key(Key::page_down);
        menu.key(Key::page_down);
        CHECK(menu.highlighted().find("Entry") != std::string::npos);
        // Far below the length of the list, whatever its size: only what is in sight is made.
        CHECK(menu.view.screen(menu.now).lines.size() == 24);
    }
}
