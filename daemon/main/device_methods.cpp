// SPDX-License-Identifier: Apache-2.0
// What clients ask of the devices: what else is to be read on one, how they would be unbound, and what has its
// place in the interface and not yet here.
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

void Core::add_configuration(const Caller& caller) {
    const auto asked = parameters_of<protocol::AddConfiguration>(caller.call, *caller.replier);
    if (!asked || answer_busy(caller)) {
        return;
    }
    const auto file = handover::file_of(registry_, asked->path);
    if (!file) {
        return refuse(file.error(), *caller.replier);
    }
    if (file->device.is_self()) {
        return refuse(Error("daemon.file_needs_device", {{"path", file->path}}), *caller.replier);
    }
    const auto device = registry_.resolve(file->device, "");
    if (!device) {
        return refuse_file(device.error(), asked->path, caller.replier);
    }
    const auto done = [this, path = asked->path, who = caller.peer.who().sentence(),
                       replier = caller.replier](const Result<NamedFile>& added) {
        if (!added) {
            return refuse_file(added.error(), path, replier);
        }
        log_.info(Message("daemon.added",
                          {{"path", path}, {"count", std::uint64_t{added->options.size()}}, {"peer", who}}));
        protocol::AddConfiguration::Reply reply;
        reply.options = added->options;
        reply.diagnostics = added->diagnostics;
        replier->reply(reply_of(reply));
    };
    hooks_.add((*device)->identity.id, file->path, done);
}

void Core::refuse_file(const Error& why, const std::string& path, const ReplierPtr& replier) {
    const bool missing = why.code() == "config.file_missing" || why.code() == "config.device_missing";
    replier->reply(missing ? protocol::not_found(path) : protocol::refused(why.message()));
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
