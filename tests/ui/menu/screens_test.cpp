// SPDX-License-Identifier: Apache-2.0
// Whole screens, to the letter.
#include <doctest/doctest.h>
#include <locale.h>

#include "tests/ui/menu/samples.hpp"

using stillboot::menu::Charset;
using stillboot::menu::Key;
using stillboot::menu::Look;
using stillboot::protocol::Phase;
using stillboot::test::counting_state;
using stillboot::test::Menu;
using stillboot::test::state;

namespace {

const bool locale_is_set = ::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;

void check_shape(Menu& menu, const Look& look) {
    const auto screen = menu.view.screen(menu.now);
    REQUIRE(static_cast<int>(screen.lines.size()) == look.rows);
    for (const auto& line : screen.lines) {
        int columns = 0;
        for (const auto& span : line) {
            columns += stillboot::menu::width(span.text, look.charset);
        }
        REQUIRE(columns == look.columns);
    }
}

}  // namespace

TEST_SUITE("menu") {
    TEST_CASE("the list at 80x24 says at once what will happen, when, and what prevents it") {
        REQUIRE(locale_is_set);
        Menu menu(counting_state("sda2/0", 10'000));
        CHECK(menu.text() ==
              " Stillboot 0.1.0                                         3 entries on 5 devices\n"
              "\n"
              "  Debian GNU/Linux starts in 10 seconds.\n"
              "  Press any key to stop this and choose for yourself.\n"
              "  ████████████████████  Why: it stands first\n"
              "\n"
              " Samsung, part 2                                             ext4  480 GB  sda2\n"
              " ► * Debian GNU/Linux                                                   default\n"
              "     Advanced options\n"
              "       Debian (recovery mode)\n"
              "\n"
              " SanDisk, part 1  1 warning                                  ext4  480 GB  sdb1\n"
              "     Fedora                                                             waiting\n"
              "       no device with uuid 1f2e is present\n"
              "\n"
              " Devices that offer nothing to boot\n"
              "     Samsung, part 1           no boot configuration\n"
              "     WDC, part 1               an encrypted volume\n"
              "     Flash Disk                the file system is damaged\n"
              "\n"
              "\n"
              "\n"
              "\n"
              " Enter Boot e Edit d Details m Messages h Help r Rescan s Shell t Restart p Off\n");
    }

    TEST_CASE("the list at 40x12 in ASCII still says what matters") {
        Menu menu(counting_state("sda2/0", 10'000), {12, 40, Charset::ascii});
        CHECK(menu.text() ==
              " Stillboot 0.1.0 3 entries on 5 devices\n"
              "  Debian GNU/Linux starts in 10\n"
              "  seconds.\n"
              "  Press any key to stop this and\n"
              "  choose for yourself.\n"
              " Samsung, part 2     ext4  480 GB  sda2\n"
              " > * Debian GNU/Linux           default\n"
              "     Advanced options\n"
              "       Debian (recovery mode)\n"
              "\n"
              " SanDisk, part 1  1 warning  ext4  sdb1\n"
              " Enter Boot e Edit d Details m Messages\n");
    }

    TEST_CASE("details at 132x50 tell what boots and where it is written") {
        Menu menu(state(Phase::idle), {50, 132, Charset::utf8});
        menu.type("d");
        const std::string text = menu.text();
        CHECK(text.find("  State          ready to boot\n"
                        "  Default        of its own configuration only\n"
                        "  Kernel         /boot/vmlinuz\n"
                        "  Initrd         /boot/initrd.img\n"
                        "  Command line   root=/dev/sda2 ro quiet\n"
                        "\n"
                        "  Format         grub\n"
                        "  Written in     /boot/grub/grub.cfg, line 102\n"
                        "  Identifier     sda2/0\n") != std::string::npos);
    }

    TEST_CASE("the page of problems names every device that offers nothing and every diagnostic") {
        Menu menu(state(Phase::idle));
        menu.type("m");
        CHECK(menu.text() ==
              " Stillboot 0.1.0                                                [Problems]  log\n"
              "\n"
              " Samsung, part 1  /dev/sda1\n"
              "  no boot configuration\n"
              "\n"
              " SanDisk, part 1  /dev/sdb1\n"
              "  /boot/x.cfg:3:1: warning: an unknown key\n"
              "\n"
              " WDC, part 1  /dev/sdc1\n"
              "  an encrypted volume\n"
              "\n"
              " Flash Disk  /dev/sdd\n"
              "  the file system is damaged\n"
              "\n\n\n\n\n\n\n\n\n\n"
              " Esc Back  Tab Log  Up Down Scroll\n");
    }

    TEST_CASE("what the state store tells stands among the problems") {
        auto learned = state(Phase::idle);
        learned.notices = {stillboot::test::said("ixgbe is left alone")};
        Menu menu(learned);
        menu.type("m");
        CHECK(menu.text().find(" Hand-overs before this one\n  ixgbe is left alone\n") != std::string::npos);
    }

    TEST_CASE("every page has the size of the terminal, down to the smallest") {
        for (const Look look :
             {Look{24, 80, Charset::utf8}, Look{12, 40, Charset::ascii}, Look{50, 132, Charset::utf8},
              Look{6, 20, Charset::ascii}, Look{3, 10, Charset::utf8}, Look{1, 1, Charset::ascii}}) {
            CAPTURE(look.rows);
            Menu menu(counting_state("sda2/0", 10'000), look);
            check_shape(menu, look);
            menu.tell(state(Phase::idle));
            for (const std::string page : {"d", "m", "h", "e", "p"}) {
                CAPTURE(page);
                menu.type(page);
                check_shape(menu, look);
                menu.key(Key::escape);
            }
            auto over = state(Phase::handover);
            over.progress =
                stillboot::protocol::Progress{"sda2/0", "fetch", stillboot::test::said("x"), 1, 2, 3, {}, 0};
            menu.tell(over);
            check_shape(menu, look);
        }
    }

    TEST_CASE("a device whose title tries to draw on the screen is shown harmless and in its place") {
        Menu menu(state(Phase::idle));
        stillboot::protocol::Change evil;
        evil.options = {
            stillboot::test::option("sda2/9", "\x1b[2J\x1b[1;1HOwned \xe6\x97\xa5\xe6\x9c\xac\r\n", "sda2", 9)};
        auto device = stillboot::test::device("sde", "9", "\x1b]0;title\x07");
        device.reason = stillboot::test::said(
            "label \x9b"
            "31m");
        device.state = stillboot::protocol::DeviceState::empty;
        evil.devices = {device};
        (void)menu.view.on_change(evil, menu.now);
        check_shape(menu, {24, 80, Charset::utf8});
        CHECK(menu.text().find('\x1b') == std::string::npos);
        CHECK(menu.shows("     \uFFFD[2J\uFFFD[1;1HOwned 日本\uFFFD\uFFFD\n"));
        CHECK(menu.shows("\uFFFD]0;title\uFFFD"));
        menu.key(Key::end);
        menu.type("d");
        CHECK(menu.text().find('\x1b') == std::string::npos);
    }
}
