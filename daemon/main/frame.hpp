// SPDX-License-Identifier: Apache-2.0
// Replies as frames that several clients share.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "daemon/protocol/json.hpp"
#include "daemon/protocol/varlink.hpp"
#include "daemon/server/server.hpp"

namespace stillboot {

using Frame = std::shared_ptr<const std::string>;

template <class T>
Frame frame_of(const T& parameters, bool continues) {
    protocol::Reply reply;
    reply.parameters = protocol::to_json(parameters).as_object();
    reply.continues = continues;
    return std::make_shared<const std::string>(protocol::encode(reply));
}

/// Sends one frame to all and forgets those who have gone.
inline void send_all(std::vector<std::shared_ptr<server::Replier>>& to, const Frame& frame) {
    std::erase_if(to, [&](const auto& replier) { return !replier->reply_frame(frame, true); });
}

/// Takes one more, and forgets those who have gone: nothing may be sent for long, and they cost memory.
inline void add_to(std::vector<std::shared_ptr<server::Replier>>& to, std::shared_ptr<server::Replier> one) {
    std::erase_if(to, [](const auto& replier) { return !replier->open(); });
    to.push_back(std::move(one));
}

}  // namespace stillboot
