// SPDX-License-Identifier: Apache-2.0
// Varlink's messages and their framing: one JSON object, then a NUL byte. No I/O here.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/result.hpp"
#include "daemon/protocol/json.hpp"

namespace stillboot::protocol {

/// What a client sends (https://varlink.org/Service, "Method Call").
struct Call {
    std::string method;  ///< with its interface: "io.stillboot.Boot"
    boost::json::object parameters;
    bool more = false;    ///< several replies are wanted
    bool oneway = false;  ///< no reply is wanted

    bool operator==(const Call&) const = default;
};

/// What a service answers.
struct Reply {
    boost::json::object parameters;
    std::string error;       ///< with its interface, or empty
    bool continues = false;  ///< another reply follows

    bool operator==(const Reply&) const = default;
};

/// The frame of a message, NUL included.
[[nodiscard]] std::string encode(const Call& call);
[[nodiscard]] std::string encode(const Reply& reply);

/// The message of a frame, given without its NUL.
/// @error daemon.not_json, daemon.field_missing, daemon.field_invalid, daemon.field_unknown (calls only)
[[nodiscard]] Result<Call> decode_call(std::string_view frame);
[[nodiscard]] Result<Reply> decode_reply(std::string_view frame);

/// Cuts a stream of bytes into frames. Holds at most what was fed last and one frame before it.
class FrameReader {
public:
    explicit FrameReader(std::size_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}

    /// Takes bytes as they come. @error daemon.message_too_long when a frame grows past the limit: nothing can
    /// follow, the connection is lost.
    Result<void> feed(std::string_view bytes);
    /// The next whole frame without its NUL, or nothing. Lifetime: until the next call of feed or next.
    [[nodiscard]] std::optional<std::string_view> next();
    /// Forgets what has come, and gives its memory back.
    void clear();
    /// True where next() has a frame to give.
    [[nodiscard]] bool has_frame() const { return taken_ < open_; }
    /// True while a frame has begun and not ended: the time for it runs.
    [[nodiscard]] bool in_frame() const { return open_ < buffer_.size(); }

private:
    std::size_t max_frame_bytes_;
    std::string buffer_;
    std::size_t taken_ = 0;  // end of the frames that next() has given out
    std::size_t open_ = 0;   // start of the frame whose end has not come yet
};

}  // namespace stillboot::protocol
