// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a varlink peer sends: cut into frames however they come, read as messages and as their types.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdint>

#include "daemon/protocol/varlink.hpp"

namespace {

using namespace stillboot::protocol;

constexpr std::size_t max_frame_bytes = 1 << 16;

void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

// Boost.JSON 1.81 does not read every fraction back as it wrote it; no field of ours is one.
bool has_fraction(const boost::json::value& json) {
    if (const auto* array = json.if_array()) {
        return std::any_of(array->begin(), array->end(), has_fraction);
    }
    if (const auto* object = json.if_object()) {
        return std::any_of(object->begin(), object->end(),
                           [](const auto& each) { return has_fraction(each.value()); });
    }
    return json.is_double();
}

// What was read can be written and read again, and is the same.
template <class T>
void read_as(const boost::json::value& json) {
    for (const UnknownFields unknown : {UnknownFields::ignore, UnknownFields::refuse}) {
        const auto value = from_json<T>(json, unknown);
        if (value) {
            const auto written = to_json(*value);
            const auto again = from_json<T>(written, unknown);
            require(again && to_json(*again) == written);
        } else {
            require(!value.error().sentence().empty());
        }
    }
}

void read_frame(std::string_view frame) {
    require(frame.find('\0') == std::string_view::npos && frame.size() <= max_frame_bytes);
    if (const auto call = decode_call(frame)) {
        const std::string wire = encode(*call);
        require(has_fraction(call->parameters) ||
                decode_call(std::string_view(wire).substr(0, wire.size() - 1)).value() == *call);
    }
    if (const auto reply = decode_reply(frame)) {
        const std::string wire = encode(*reply);
        require(has_fraction(reply->parameters) ||
                decode_reply(std::string_view(wire).substr(0, wire.size() - 1)).value() == *reply);
    }
    if (const auto json = parse_json(frame)) {
        const auto* object = json->if_object();
        const auto* inner = object == nullptr ? nullptr : object->if_contains("parameters");
        const auto& value = inner == nullptr ? *json : *inner;
        read_as<Boot::Parameters>(value);
        read_as<Rescan::Parameters>(value);
        read_as<Watch::Reply>(value);
        read_as<GetLog::Reply>(value);
        read_as<From>(value);
        read_as<ListClients::Reply>(value);
        read_as<stillboot::ScanResult>(value);
    }
}

}  // namespace

// The first byte says in pieces of which size the rest comes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string text(data + 1, data + size);
    const std::size_t piece = std::size_t{data[0]} + 1;
    FrameReader reader(max_frame_bytes);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        if (!reader.feed(std::string_view(text).substr(at, piece))) {
            return 0;
        }
        while (const auto frame = reader.next()) {
            read_frame(*frame);
        }
    }
    read_frame(std::string_view(text).substr(0, std::min(text.find('\0'), max_frame_bytes)));
    return 0;
}
