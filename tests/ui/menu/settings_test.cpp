// SPDX-License-Identifier: Apache-2.0
// The screens of the settings and of the machine.
#include <doctest/doctest.h>
#include <locale.h>

#include "tests/ui/menu/samples.hpp"
#include "ui/menu/view_model.hpp"

using namespace stillboot;
namespace action = stillboot::menu::action;
using menu::Actions;
using menu::Key;
using protocol::Phase;
using protocol::Setting;
using test::Menu;

namespace {

const bool locale_is_set = ::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;

std::vector<Setting> settings(const std::string& timeout = "10", const std::string& origin = "built-in default") {
    return {{"timeout", timeout, origin, std::nullopt, true},
            {"order", "internal,removable", "/etc/stillboot/stillboot.toml:3", std::nullopt, false},
            {"strict", "false", "state store", "false", true}};
}

// The menu with the screen of the settings open.
struct Opened : Menu {
    explicit Opened(menu::Look look = {24, 80, menu::Charset::utf8}) : Menu(test::state(Phase::idle), look) {
        CHECK(type("c") == Actions{action::AskSettings{}});
        (void)view.on_settings(settings());
    }
    void clear() {
        (void)control("u");
        (void)control("k");
    }
};

}  // namespace

TEST_SUITE("menu settings") {
    TEST_CASE("every setting is listed with its value and its origin") {
        REQUIRE(locale_is_set);
        Opened menu;
        CHECK(menu.highlighted().starts_with(" ► timeout  10 "));
        CHECK(menu.shows("order    internal,removable              /etc/stillboot/stillboot.toml:3"));
        (void)menu.key(Key::end);
        CHECK(menu.highlighted().starts_with(" ► strict   false "));
        (void)menu.key(Key::up);
        (void)menu.key(Key::page_up);
        CHECK(menu.highlighted().starts_with(" ► timeout"));
        CHECK(menu.key(Key::escape).empty());
        CHECK_FALSE(menu.shows("built-in default"));
    }

    TEST_CASE("a secret is typed anew: what is shown of it is no value") {
        Opened menu;
        (void)menu.view.on_settings({{"password", "set", "state store", "set", true}});
        (void)menu.key(Key::enter);
        for (const std::string letter : {"n", "o", "n", "e"}) {
            (void)menu.type(letter);
        }
        CHECK(menu.key(Key::enter) == Actions{action::Set{"password", "none", false}});
    }

    TEST_CASE("a value is checked as it is typed, and only one that is accepted is sent") {
        Opened menu;
        (void)menu.key(Key::enter);
        CHECK(menu.shows("Enter keeps this in the state store."));
        menu.clear();
        (void)menu.type("s");
        CHECK(menu.shows("timeout must be a number of seconds from 0 to 86400"));
        CHECK(menu.key(Key::enter).empty());
        menu.clear();
        (void)menu.type("2");
        (void)menu.type("5");
        CHECK_FALSE(menu.shows("must be"));
        CHECK(menu.key(Key::enter) == Actions{action::Set{"timeout", "25", false}});
        (void)menu.view.on_settings(settings("25", "state store"));
        CHECK(menu.shows("timeout is now 25 (state store)."));
        CHECK(menu.highlighted().starts_with(" ► timeout  25 "));
    }

    TEST_CASE("Tab sets it for this start only, Escape leaves it as it was") {
        Opened menu;
        (void)menu.key(Key::enter);
        (void)menu.key(Key::tab);
        CHECK(menu.shows("Enter sets this for this start only."));
        CHECK(menu.key(Key::enter) == Actions{action::Set{"timeout", "10", true}});
        (void)menu.key(Key::enter);
        (void)menu.type("0");
        CHECK(menu.key(Key::escape).empty());
        CHECK(menu.highlighted().starts_with(" ► timeout  10 "));
    }

    TEST_CASE("Delete forgets what was said, where it was said") {
        Opened menu;
        (void)menu.key(Key::end);
        CHECK(menu.key(Key::erase) == Actions{action::Set{"strict", std::nullopt, false}});
        (void)menu.view.on_settings(settings("5", "this start only"));
        (void)menu.key(Key::home);
        CHECK(menu.key(Key::erase) == Actions{action::Set{"timeout", std::nullopt, true}});
    }

    TEST_CASE("what is read at the start can be seen and not changed, and is said") {
        Opened menu;
        (void)menu.key(Key::down);
        CHECK(menu.key(Key::enter).empty());
        CHECK(menu.shows("order is read when stillbootd starts"));
        CHECK(menu.key(Key::erase).empty());
    }

    TEST_CASE("a refusal stands under the list, and a small screen still shows the highlight") {
        Opened menu({6, 30, menu::Charset::utf8});
        (void)menu.key(Key::end);
        CHECK(menu.highlighted().starts_with(" ► strict"));
        (void)menu.view.on_failure(Error("daemon.strict"));
        CHECK(menu.shows("strict mode: nothing at a"));
    }

    TEST_CASE("any key stops the clock here, too") {
        Menu menu(test::counting_state("sda2/0", 10'000));
        CHECK(menu.type("c") == Actions{action::Cancel{}, action::AskSettings{}});
    }

    TEST_CASE("the machine is described with its disks and its network") {
        Menu menu(test::state(Phase::idle));
        CHECK(menu.type("i") == Actions{action::AskSystem{}});
        protocol::System system;
        system.model = "PowerEdge";
        system.processor = "Xeon";
        system.processors = 4;
        system.memory_bytes = std::uint64_t{16} << 30;
        system.interfaces = {{"eth0", "52:54:00:12:34:56", true, 1000, {"192.0.2.7/24"}},
                             {"eth1", "52:54:00:12:34:57", false, std::nullopt, {}}};
        (void)menu.view.on_system(system);
        CHECK(menu.shows("PowerEdge"));
        CHECK(menu.shows("4 Xeon"));
        CHECK(menu.shows("none: what is chosen or learned is forgotten"));
        CHECK(menu.shows("sda2"));
        (void)menu.key(Key::end);
        CHECK(menu.shows("52:54:00:12:34:56  link 1000 Mbit/s  192.0.2.7/24"));
        CHECK(menu.shows("52:54:00:12:34:57  no link"));
        (void)menu.key(Key::escape);
        CHECK(menu.highlighted().starts_with(" ►"));
    }
}
