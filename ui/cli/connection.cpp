// SPDX-License-Identifier: Apache-2.0
// The blocking client behind Connection.
#include "ui/cli/connection.hpp"

#include "daemon/client/client.hpp"

namespace stillboot::cli {

Connection::Connection(std::unique_ptr<client::BlockingClient> client) : client_(std::move(client)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::open(const Context& context) {
    auto client = std::make_unique<client::BlockingClient>();
    if (auto connected = client->connect(context.daemon); !connected) {
        return connected.error();
    }
    return Connection(std::move(client));
}

Result<boost::json::object> Connection::call_method(std::string_view method, boost::json::object parameters) {
    return client_->call(std::string(method), std::move(parameters), client::deadline_of(method));
}

Result<void> Connection::stream_method(std::string_view method, boost::json::object parameters) {
    return client_->open(std::string(method), std::move(parameters));
}

Result<boost::json::object> Connection::next_reply(bool& last, std::optional<std::chrono::milliseconds> deadline) {
    auto reply = client_->next(deadline);
    if (!reply) {
        return reply.error();
    }
    last = !reply->continues;
    return std::move(reply->parameters);
}

}  // namespace stillboot::cli
