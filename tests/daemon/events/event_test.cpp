// SPDX-License-Identifier: Apache-2.0
// The lines that fleet managers read, to the letter.
#include "daemon/events/event.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::events;

namespace {

const Origin origin{"00112233445566aa", "rack7"};

std::string text_of(const Event& event) {
    return line_of(event, origin, Moment{1'700'000'000'007, 2500, 3}).text;
}

const std::string head =
    R"({"time":"2023-11-14T22:13:20.007Z","uptime_ms":2500,"seq":3,"session":"00112233445566aa","machine":"rack7",)";

}  // namespace

TEST_SUITE("events") {
    TEST_CASE("an event is one JSON object, with what there is to say in one order") {
        Event event;
        event.what = "0.1.0";
        CHECK(text_of(event) == head + R"("event":"started","what":"0.1.0"})");
        event = Event();
        event.kind = Kind::boot_failed;
        event.option = "pci-1/grub/a";
        event.title = "Debian";
        event.device = "/dev/vda1";
        event.by = "the default of the first device";
        event.attempt = 1;
        event.reason = Message("base.open_failed", {{"path", "/vmlinuz"}, {"errno", "ENOENT"}});
        CHECK(text_of(event) ==
              head + R"("event":"boot-failed","option":"pci-1/grub/a","title":"Debian","device":"/dev/vda1",)"
                     R"("by":"the default of the first device","attempt":1,"code":"base.open_failed",)"
                     R"("reason":"/vmlinuz cannot be opened: ENOENT"})");
    }

    TEST_CASE("each kind has its word, and some are trouble") {
        struct Row {
            Kind kind;
            const char* word;
            bool trouble;
        };
        const Row rows[] = {{Kind::started, "started", false},     {Kind::discovered, "discovered", false},
                            {Kind::countdown, "countdown", false}, {Kind::boot_begun, "boot-begun", false},
                            {Kind::jump, "jump", false},           {Kind::boot_failed, "boot-failed", true},
                            {Kind::cancelled, "cancelled", false}, {Kind::choice, "choice", false},
                            {Kind::setting, "setting", false},     {Kind::refused, "refused", true},
                            {Kind::script, "script", false},       {Kind::final_action, "final-action", true}};
        for (const Row& row : rows) {
            CHECK(to_word(row.kind) == row.word);
            CHECK(is_trouble(row.kind) == row.trouble);
        }
    }

    TEST_CASE("what a disk says cannot break a line, nor make it long") {
        Event event;
        event.title = "a\n\x1b[2J\xff";
        CHECK(text_of(event) == head + "\"event\":\"started\",\"title\":\"a??[2J\xEF\xBF\xBD\"}");
        event.title = std::string(5000, '\xff');
        const auto title = std::string(boost::json::parse(text_of(event)).at("title").as_string());
        CHECK(title.size() == 255);
        CHECK(title.substr(252) == "\xEF\xBF\xBD");
        const std::string worst(5000, '"');
        event = Event{
            Kind::boot_failed, worst, worst, worst, worst, Message("daemon.said", {{"text", worst}}), 7, worst};
        CHECK(text_of(event).size() < 4096);
    }

    TEST_CASE("a machine goes by its host name, its serial number or its first interface") {
        const test::TemporaryTree tree;
        const Root root = tree.root();
        CHECK(machine_name(root) == "unknown");
        tree.file("sys/class/net/lo/address", "00:00:00:00:00:00\n");
        tree.file("sys/class/net/eth0/address", "52:54:00:12:34:56\n");
        tree.file("proc/sys/kernel/hostname", "(none)\n");
        CHECK(machine_name(root) == "52:54:00:12:34:56");
        tree.file("sys/class/dmi/id/product_serial", "SN-7 \n");
        CHECK(machine_name(root) == "SN-7");
        tree.file("proc/sys/kernel/hostname", "rack7\n");
        CHECK(machine_name(root) == "rack7");
    }
}
