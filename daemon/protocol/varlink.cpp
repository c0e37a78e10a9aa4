// SPDX-License-Identifier: Apache-2.0
// Varlink messages to and from JSON, and frames.
#include "daemon/protocol/varlink.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

namespace stillboot::protocol {
namespace {

std::string frame(const boost::json::object& object) {
    std::string text = boost::json::serialize(object);
    text.push_back('\0');
    return text;
}

Error wrong(std::string_view code, std::string_view field) {
    return Error(code, {{"field", field}});
}

// One member of a message's envelope. A missing one leaves `out` alone; null counts as missing.
template <class T>
bool take(const boost::json::object& object, std::string_view name, T& out) {
    const auto* found = object.if_contains(name);
    if (found == nullptr || found->is_null()) {
        return true;
    }
    if constexpr (std::is_same_v<T, bool>) {
        out = found->is_bool() && found->get_bool();
        return found->is_bool();
    } else if constexpr (std::is_same_v<T, std::string>) {
        const auto* text = found->if_string();
        if (text != nullptr && text->find('\0') == boost::json::string::npos) {
            out.assign(text->data(), text->size());
            return true;
        }
        return false;
    } else {
        if (const auto* value = found->if_object()) {
            out = *value;
        }
        return found->is_object();
    }
}

}  // namespace

std::string encode(const Call& call) {
    boost::json::object object;
    object.emplace("method", call.method);
    object.emplace("parameters", call.parameters);
    if (call.more) {
        object.emplace("more", true);
    }
    if (call.oneway) {
        object.emplace("oneway", true);
    }
    return frame(object);
}

std::string encode(const Reply& reply) {
    // Put together as text: a copy of the parameters only to write them would be most of a short call's work.
    std::string text = "{";
    if (!reply.error.empty()) {
        text += "\"error\":" + boost::json::serialize(boost::json::string(reply.error)) + ",";
    }
    text += "\"parameters\":";
    text += boost::json::serialize(reply.parameters);
    if (reply.continues) {
        text += ",\"continues\":true";
    }
    text += '}';
    text.push_back('\0');
    return text;
}

Result<Call> decode_call(std::string_view text) {
    std::array<unsigned char, 4096> first_memory;
    boost::json::monotonic_resource memory(first_memory.data(), first_memory.size());
    const auto json = parse_json(text, &memory);
    if (!json) {
        return json.error();
    }
    const auto* object = json->if_object();
    if (object == nullptr) {
        return wrong("daemon.field_invalid", "(all)");
    }
    for (const auto& member : *object) {
        const std::string_view key = member.key();
        if (key != "method" && key != "parameters" && key != "more" && key != "oneway" && key != "upgrade") {
            return wrong("daemon.field_unknown", key);
        }
    }
    Call call;
    bool upgrade = false;
    if (!take(*object, "method", call.method)) {
        return wrong("daemon.field_invalid", "method");
    }
    if (call.method.empty()) {
        return wrong("daemon.field_missing", "method");
    }
    if (!take(*object, "parameters", call.parameters)) {
        return wrong("daemon.field_invalid", "parameters");
    }
    if (!take(*object, "more", call.more) || !take(*object, "oneway", call.oneway) || (call.more && call.oneway)) {
        return wrong("daemon.field_invalid", "more");
    }
    if (!take(*object, "upgrade", upgrade) || upgrade) {
        return wrong("daemon.field_invalid", "upgrade");
    }
    return call;
}

Result<Reply> decode_reply(std::string_view text) {
    auto json = parse_json(text);
    if (!json) {
        return json.error();
    }
    const auto* object = json->if_object();
    Reply reply;
    if (object == nullptr || !take(*object, "parameters", reply.parameters) ||
        !take(*object, "error", reply.error) || !take(*object, "continues", reply.continues)) {
        return wrong("daemon.field_invalid", "(all)");
    }
    return reply;
}

Result<void> FrameReader::feed(std::string_view bytes) {
    buffer_.erase(0, taken_);
    open_ -= taken_;
    taken_ = 0;
    std::size_t from = buffer_.size();
    buffer_.append(bytes);
    for (;;) {
        const std::size_t end = buffer_.find('\0', from);
        if (std::min(end, buffer_.size()) - open_ > max_frame_bytes_) {
            return Error("daemon.message_too_long", {{"limit_bytes", std::uint64_t{max_frame_bytes_}}});
        }
        if (end == std::string::npos) {
            return {};
        }
        open_ = from = end + 1;
    }
}

void FrameReader::clear() {
    *this = FrameReader(max_frame_bytes_);
}

std::optional<std::string_view> FrameReader::next() {
    if (taken_ == open_) {
        return std::nullopt;
    }
    const std::size_t end = buffer_.find('\0', taken_);
    const auto found = std::string_view(buffer_).substr(taken_, end - taken_);
    taken_ = end + 1;
    return found;
}

}  // namespace stillboot::protocol
