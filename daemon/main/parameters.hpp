// SPDX-License-Identifier: Apache-2.0
// The parameters and the reply of a call by the type of its method.
#pragma once

#include <boost/json.hpp>
#include <optional>

#include "daemon/protocol/json.hpp"
#include "daemon/protocol/service.hpp"
#include "daemon/server/server.hpp"

namespace stillboot {

/// The reply that holds these.
template <class T>
protocol::Reply reply_of(const T& parameters, bool continues = false) {
    protocol::Reply reply;
    reply.parameters = protocol::to_json(parameters).as_object();
    reply.continues = continues;
    return reply;
}

/// The parameters of a call; where they are wrong, the caller is told which one, and there are none.
template <class Method>
std::optional<typename Method::Parameters> parameters_of(const protocol::Call& call, server::Replier& replier) {
    auto parameters = protocol::from_json<typename Method::Parameters>(boost::json::value(call.parameters),
                                                                       protocol::UnknownFields::refuse);
    if (!parameters) {
        replier.reply(protocol::invalid_parameter(parameters.error().message().param("field")));
        return std::nullopt;
    }
    return std::move(*parameters);
}

}  // namespace stillboot
