// SPDX-License-Identifier: Apache-2.0
// One call, and its reply as JSON or in words: what most verbs that talk to the daemon do.
#pragma once

#include "ui/cli/connection.hpp"
#include "ui/cli/json_output.hpp"

namespace stillboot::cli {

/// @param print  called with the reply where no JSON is wanted
template <class Method, class Print>
ExitCode call_and_print(const Context& context, const typename Method::Parameters& parameters, Print print) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    auto reply = connection->call<Method>(parameters);
    if (!reply) {
        return report(context, reply.error());
    }
    if (context.wants_json()) {
        print_json(context, protocol::to_json(*reply));
    } else {
        print(*reply);
    }
    return ExitCode::done;
}

}  // namespace stillboot::cli
