// SPDX-License-Identifier: Apache-2.0
// What clients ask of the devices: how they would be unbound, and what has its place in the interface and not yet
// here.
#include "daemon/main/core.hpp"
#include "daemon/main/parameters.hpp"
#include "daemon/protocol/failure.hpp"

namespace stillboot {

void Core::get_quiesce_plan(const Caller& caller) {
    if (answer_busy(caller)) {
        return;
    }
    booter_.quiesce_plan([replier = caller.replier](const Result<protocol::QuiescePlan>& plan) {
        if (!plan) {
            replier->reply(protocol::refused(plan.error().message()));
            return;
        }
        protocol::GetQuiescePlan::Reply reply;
        reply.plan = *plan;
        replier->reply(reply_of(reply));
    });
}

void Core::open_device(const Caller& caller) {
    if (parameters_of<protocol::OpenDevice>(caller.call, *caller.replier)) {
        caller.replier->reply(protocol::not_in_this_build(Message("daemon.opening").sentence()));
    }
}

void Core::wait_for_network(const Caller& caller) {
    if (parameters_of<protocol::WaitForNetwork>(caller.call, *caller.replier)) {
        caller.replier->reply(protocol::not_in_this_build(Message("daemon.networking").sentence()));
    }
}

}  // namespace stillboot
