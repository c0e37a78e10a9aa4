// SPDX-License-Identifier: Apache-2.0
// The daemon from the command line's side: a blocking connection whose header spares its users Asio.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "daemon/protocol/json.hpp"
#include "daemon/protocol/methods.hpp"
#include "ui/cli/context.hpp"

namespace stillboot::client {
class BlockingClient;
}

namespace stillboot::cli {

/// One connection, one call at a time. Blocking.
class Connection {
public:
    /// @error as client::Client::connect
    static Result<Connection> open(const Context& context);
    Connection(Connection&&) noexcept;
    ~Connection();

    /// @error as client::Client::call
    template <class Method>
    Result<typename Method::Reply> call(const typename Method::Parameters& parameters = {}) {
        auto reply = call_method(Method::name, protocol::to_json(parameters).as_object());
        if (!reply) {
            return reply.error();
        }
        return protocol::from_json<typename Method::Reply>(boost::json::value(std::move(*reply)));
    }

    /// Begins a stream. @error as client::Client::open
    template <class Method>
    Result<void> stream(const typename Method::Parameters& parameters = {}) {
        return stream_method(Method::name, protocol::to_json(parameters).as_object());
    }

    template <class Method>
    struct Next {
        typename Method::Reply reply;
        bool last = false;
    };
    /// The next reply of the stream, however long it takes where there is no deadline.
    /// @error as client::Client::next
    template <class Method>
    Result<Next<Method>> next(std::optional<std::chrono::milliseconds> deadline = std::nullopt) {
        bool last = false;
        auto object = next_reply(last, deadline);
        if (!object) {
            return object.error();
        }
        auto reply = protocol::from_json<typename Method::Reply>(boost::json::value(std::move(*object)));
        if (!reply) {
            return reply.error();
        }
        Next<Method> out;
        out.reply = std::move(*reply);
        out.last = last;
        return out;
    }

private:
    explicit Connection(std::unique_ptr<client::BlockingClient> client);
    Result<boost::json::object> call_method(std::string_view method, boost::json::object parameters);
    Result<void> stream_method(std::string_view method, boost::json::object parameters);
    Result<boost::json::object> next_reply(bool& last, std::optional<std::chrono::milliseconds> deadline);

    std::unique_ptr<client::BlockingClient> client_;
};

}  // namespace stillboot::cli
