// SPDX-License-Identifier: Apache-2.0
// Varlink frames, calls and replies.
#include "daemon/protocol/varlink.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include "daemon/protocol/boot_control.hpp"
#include "daemon/protocol/service.hpp"

using namespace stillboot::protocol;

namespace {

std::vector<std::string> frames_of(FrameReader& reader) {
    std::vector<std::string> frames;
    while (const auto frame = reader.next()) {
        frames.emplace_back(*frame);
    }
    return frames;
}

Call boot_call() {
    Call call;
    call.method = "io.stillboot.Boot";
    call.parameters = {{"option", "d/grub/a"}, {"append", "x=\"y\" \xC3\xA4"}};
    call.more = true;
    return call;
}

}  // namespace

TEST_SUITE("protocol") {
    TEST_CASE("a call survives the wire fed byte by byte, together with the one after it") {
        const std::string wire =
            encode(boot_call()) + encode(Call{"org.varlink.service.GetInfo", {}, false, true});
        FrameReader reader(1000);
        std::vector<std::string> frames;
        for (const char byte : wire) {
            REQUIRE(reader.feed({&byte, 1}));
            for (auto& frame : frames_of(reader)) {
                frames.push_back(std::move(frame));
            }
        }
        REQUIRE(frames.size() == 2);
        CHECK(decode_call(frames[0]).value() == boot_call());
        CHECK(decode_call(frames[1])->oneway);
        CHECK_FALSE(reader.in_frame());
    }

    TEST_CASE("cut at each length, a frame is not given out, and its rest completes it") {
        const std::string wire = encode(boot_call());
        for (std::size_t cut = 0; cut < wire.size(); ++cut) {
            FrameReader reader(1000);
            REQUIRE(reader.feed(std::string_view(wire).substr(0, cut)));
            CHECK_FALSE(reader.next().has_value());
            CHECK(reader.in_frame() == (cut > 0));
            REQUIRE(reader.feed(std::string_view(wire).substr(cut)));
            CHECK(frames_of(reader).size() == 1);
        }
    }

    TEST_CASE("what is cleared is gone, and the reader begins anew") {
        FrameReader reader(1000);
        REQUIRE(reader.feed(std::string_view("{}\0half", 7)));
        reader.clear();
        CHECK_FALSE(reader.has_frame());
        CHECK_FALSE(reader.in_frame());
        REQUIRE(reader.feed(std::string_view("next\0", 5)));
        CHECK(frames_of(reader) == std::vector<std::string>{"next"});
    }

    TEST_CASE("each message cut short is an error and never a message") {
        const std::string text = boost::json::serialize(boost::json::value{{"method", "a.b"}, {"more", true}});
        for (std::size_t cut = 0; cut < text.size(); ++cut) {
            CHECK_FALSE(decode_call(std::string_view(text).substr(0, cut)).has_value());
        }
    }

    TEST_CASE("a frame of just the limit passes and one byte more is refused, however it is fed") {
        const std::string fits(10, 'x');
        FrameReader whole(10);
        REQUIRE(whole.feed(fits + '\0'));
        CHECK(whole.next().value() == fits);
        FrameReader open(10);
        CHECK(open.feed(fits + "y").error().sentence() ==
              "the message is longer than the 10 bytes that are accepted");
        FrameReader second(10);
        CHECK_FALSE(second.feed(std::string("a\0", 2) + fits + "y" + '\0').has_value());
        FrameReader slow(10);
        REQUIRE(slow.feed(fits));
        CHECK_FALSE(slow.feed("y").has_value());
    }

    TEST_CASE("what is wrong with a call is named") {
        const auto says = [](std::string_view text) { return decode_call(text).error().sentence(); };
        CHECK(says("[]") == "the field (all) does not hold what it should");
        CHECK(says("{}") == "the field method is missing");
        CHECK(says(R"({"method":1})") == "the field method does not hold what it should");
        CHECK(says(R"({"method":"a.b","parameters":[]})") == "the field parameters does not hold what it should");
        CHECK(says(R"({"method":"a.b","more":1})") == "the field more does not hold what it should");
        CHECK(says(R"({"method":"a.b","more":true,"oneway":true})") ==
              "the field more does not hold what it should");
        CHECK(says(R"({"method":"a.b","upgrade":true})") == "the field upgrade does not hold what it should");
        CHECK(says(R"({"method":"a.b","moer":true})") == "there is no field moer");
        CHECK(decode_call(R"({"method":"a.b","parameters":null})").has_value());
    }

    TEST_CASE("JSON nested deeper than any message of ours is refused before it costs anything") {
        const std::string deep = R"({"method":"a.b","parameters":{"a":)" + std::string(1000, '[');
        CHECK(decode_call(deep).error().code() == "daemon.not_json");
    }

    TEST_CASE("a reply keeps its error, parameters and continuation") {
        const Reply reply = {{{"a", 1}}, "io.stillboot.Busy", true};
        std::string wire = encode(reply);
        wire.pop_back();
        CHECK(decode_reply(wire).value() == reply);
    }

    TEST_CASE("the service describes itself and each of its interfaces") {
        Call call;
        call.method = "org.varlink.service.GetInfo";
        REQUIRE(is_service_call(call));
        CHECK(boost::json::serialize(answer_service(call).parameters.at("interfaces")) ==
              R"(["io.stillboot","io.systemd.BootControl","org.varlink.service"])");
        call.method = "org.varlink.service.GetInterfaceDescription";
        CHECK(answer_service(call).error == "org.varlink.service.InvalidParameter");
        for (const std::string_view name : {interface_name, boot_control_interface, service_interface}) {
            call.parameters["interface"] = name;
            const auto reply = answer_service(call);
            const std::string_view text = reply.parameters.at("description").as_string();
            CHECK(text.find("\ninterface " + std::string(name) + "\n") != text.npos);
        }
        call.parameters["interface"] = "io.other";
        CHECK(answer_service(call).error == "org.varlink.service.InterfaceNotFound");
        call.method = "org.varlink.service.Other";
        CHECK(answer_service(call).error == "org.varlink.service.MethodNotFound");
    }
}
