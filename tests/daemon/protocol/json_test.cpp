// SPDX-License-Identifier: Apache-2.0
// The JSON form of every type, there and back.
#include "daemon/protocol/json.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <functional>
#include <utility>

#include "config/base/utf8.hpp"
#include "daemon/protocol/service.hpp"

using namespace stillboot::protocol;
using stillboot::BootOption;
using stillboot::DeviceRef;
using stillboot::Diagnostic;
using stillboot::Message;
using stillboot::Resource;
using stillboot::ScanResult;

namespace {

Option full_option() {
    Option option;
    option.id = "pci-1-part2/grub/a";
    option.order = 4;
    option.title = "Debian";
    option.device_id = "pci-1-part2";
    option.submenus = {"Advanced"};
    option.kernel = {"/vmlinuz", {DeviceRef::Kind::uuid, "U"}, "", std::string(64, 'a')};
    option.initrds = {{"/initrd", {}, "", ""}, {"", {}, "tftp://h/i", ""}};
    option.devicetree = Resource{"/dtb", {DeviceRef::Kind::id, "d"}, "", ""};
    option.args = "root=/dev/vda1 \"quoted\"";
    option.version = "6.1";
    option.sort_key = "debian";
    option.tries = stillboot::BootTries{3, 1};
    option.is_default = true;
    option.source = {"grub", "/boot/grub/grub.cfg", 7};
    option.state = OptionState::waiting;
    option.reason = Message("config.device_missing", {{"kind", "uuid"}, {"value", "U"}});
    return option;
}

Change full_change() {
    Change change;
    change.seq = 18446744073709551615U;
    change.state = State{
        Phase::countdown,
        "id",
        Message("base.read_failed", {{"path", "p"}, {"errno", "e"}}),
        10000,
        Progress{
            "id", "unbind", Message("base.not_a_file", {{"path", "x"}}), 1, 2, 3, {{"eth0", "e1000", 4, true}}, 5},
        Message("base.not_a_file", {}),
        "other",
        {Message("handover.no_store")},
        "0.1",
        Message("daemon.by_configuration"),
        {{Message("daemon.by_configuration"), "c", "C"}},
        true,
        true,
        true,
        1000,
        true,
        "id"};
    change.options = {full_option()};
    change.options_removed = {"a", "b"};
    Device device;
    device.id = "pci-1";
    device.order = "0/pci-1";
    device.parent = "pci-0";
    device.size_bytes = 1ULL << 40;
    device.removable = true;
    device.state = DeviceState::failed;
    device.reason = Message("base.not_a_file", {{"path", "x"}});
    device.diagnostics = {{stillboot::Severity::warning, "/f", 1, 2, Message("base.not_a_file", {{"path", "x"}})}};
    change.devices = {device};
    change.devices_removed = {"c"};
    change.whole = true;
    return change;
}

// Calls visit with each value of a document replaced in turn by another, and puts it back.
void replace_each(boost::json::value& root, boost::json::value& at, const boost::json::value& with,
                  const std::function<void(const boost::json::value&)>& visit) {
    if (auto* object = at.if_object()) {
        for (auto& member : *object) {
            replace_each(root, member.value(), with, visit);
        }
    } else if (auto* array = at.if_array()) {
        for (auto& element : *array) {
            replace_each(root, element, with, visit);
        }
    }
    boost::json::value kept = std::exchange(at, with);
    visit(root);
    at = std::move(kept);
}

std::string error_of(std::string_view json) {
    return from_json<SetSetting::Parameters>(parse_json(json).value(), UnknownFields::refuse).error().sentence();
}

}  // namespace

TEST_SUITE("protocol") {
    TEST_CASE("a change with every field set comes back as it went") {
        const auto json = to_json(full_change());
        CHECK(from_json<Change>(json, UnknownFields::ignore).value() == full_change());
        const auto text = boost::json::serialize(json);
        CHECK(from_json<Change>(parse_json(text).value()).value() == full_change());
    }

    TEST_CASE("a value of another type anywhere in a change is refused or, where free, read; never a crash") {
        auto json = to_json(full_change());
        int refused = 0;
        for (const boost::json::value& other :
             {boost::json::value(1.5), boost::json::value(-1), boost::json::value(boost::json::array{1}),
              boost::json::value(true)}) {
            replace_each(json, json, other, [&](const boost::json::value& damaged) {
                const auto read = from_json<Change>(damaged);
                refused += read ? 0 : 1;
                CHECK((read || read.error().code().starts_with("daemon.field_")));
            });
        }
        CHECK(refused > 200);
    }

    TEST_CASE("a missing field is named by its path, an optional one is not missed") {
        auto json = to_json(full_change());
        json.at("options").at(0).at("source").as_object().erase("line");
        CHECK(from_json<Change>(json).error().sentence() == "the field options.0.source.line is missing");
        auto option = to_json(full_option());
        option.as_object().erase("tries");
        option.as_object().erase("devicetree");
        CHECK(from_json<Option>(option).has_value());
    }

    TEST_CASE("parameters of a call are read strictly") {
        CHECK(error_of(R"({"key":"a","valu":"b"})") == "there is no field valu");
        CHECK(error_of(R"({"value":"b"})") == "the field key is missing");
        CHECK(error_of(R"({"key":"a","once":1})") == "the field once does not hold what it should");
        CHECK(error_of(R"({"key":"a\u0000b"})") == "the field key does not hold what it should");
        CHECK(error_of("[]") == "the field (all) does not hold what it should");
    }

    TEST_CASE("a newer peer's fields are ignored and its messages keep their text") {
        auto json = parse_json(R"({"code":"new.code","text":"words","parameters":{},"more":1})").value();
        CHECK(from_json<Message>(json)->sentence() == "words");
    }

    TEST_CASE("integers are exact: no fraction, no overflow, no sign where none may be") {
        auto option = to_json(full_option());
        for (const boost::json::value& bad :
             {boost::json::value(4294967296LL), boost::json::value(-1), boost::json::value(1.0)}) {
            option.at("source").at("line") = bad;
            CHECK_FALSE(from_json<Option>(option).has_value());
        }
    }

    TEST_CASE("bytes that are not UTF-8 become the replacement character and the JSON stays valid") {
        struct Row {
            std::string_view name;
            std::string_view bytes;
            std::string_view text;
        };
        const Row rows[] = {
            {"latin-1", "caf\xE9!", "caf\xEF\xBF\xBD!"},
            {"overlong slash", "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
            {"surrogate", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
            {"beyond Unicode", "\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
            {"cut short", "\xF0\x9F\x98", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
            {"well formed", "\xF0\x9F\x98\x80\xC3\xA4\xE2\x82\xAC", "\xF0\x9F\x98\x80\xC3\xA4\xE2\x82\xAC"},
            {"NUL", std::string_view("a\0b", 3),
             "a\xEF\xBF\xBD"
             "b"},
        };
        for (const auto& row : rows) {
            CAPTURE(row.name);
            CHECK(stillboot::valid_utf8(row.bytes) == row.text);
            BootOption option;
            option.title = row.bytes;
            CHECK(parse_json(boost::json::serialize(to_json(option))).has_value());
        }
    }

    TEST_CASE("a reference is an object with one name, or null for the device itself") {
        CHECK(boost::json::serialize(to_json(DeviceRef{DeviceRef::Kind::label, "L"})) == R"({"label":"L"})");
        CHECK(to_json(DeviceRef()).is_null());
        CHECK_FALSE(from_json<DeviceRef>(parse_json(R"({"uuid":"a","label":"b"})").value()).has_value());
    }

    TEST_CASE("a resource is a path or a URL, not both and not neither") {
        CHECK(boost::json::serialize(to_json(Resource{"/k", {}, "", ""})) == R"({"path":"/k","device":null})");
        CHECK(boost::json::serialize(to_json(Resource{"", {}, "http://h/k", ""})) == R"({"url":"http://h/k"})");
        CHECK_FALSE(from_json<Resource>(parse_json(R"({"path":"/k","url":"u"})").value()).has_value());
        CHECK_FALSE(from_json<Resource>(parse_json("{}").value()).has_value());
    }

    TEST_CASE("each kind of finding comes back as it went, and two at once are refused") {
        ScanResult options;
        options.finding = std::vector<BootOption>{full_option()};
        options.diagnostics = full_change().devices[0].diagnostics;
        const auto back = from_json<ScanResult>(to_json(options)).value();
        CHECK(std::get<0>(back.finding) == std::get<0>(options.finding));
        CHECK(back.diagnostics == options.diagnostics);
        ScanResult container;
        container.finding =
            stillboot::Container{stillboot::Container::Kind::md_member, Message("base.not_a_file")};
        CHECK(std::get<1>(from_json<ScanResult>(to_json(container))->finding).kind ==
              stillboot::Container::Kind::md_member);
        ScanResult nothing;
        nothing.finding = stillboot::Nothing{Message("base.not_a_file", {{"path", "p"}})};
        CHECK(std::get<2>(from_json<ScanResult>(to_json(nothing))->finding).reason.param("path") == "p");
        auto both = to_json(nothing);
        both.as_object().emplace("options", boost::json::array());
        CHECK_FALSE(from_json<ScanResult>(both).has_value());
    }

    TEST_CASE("the interface file names every field that the JSON has") {
        const std::string_view interface = interface_description(interface_name);
        for (const auto& json : {to_json(full_change().devices[0]), to_json(full_option()), to_json(full_change()),
                                 to_json(*full_change().state), to_json(LogLine()), to_json(Boot::Parameters())}) {
            for (const auto& member : json.as_object()) {
                CAPTURE(std::string_view(member.key()));
                CHECK(interface.find(std::string(member.key()) + ": ") != interface.npos);
            }
        }
    }
}
