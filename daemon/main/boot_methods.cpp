// SPDX-License-Identifier: Apache-2.0
// What clients ask of the boot: which option, now, next time or each time, or none.
#include "daemon/main/core.hpp"
#include "daemon/main/frame.hpp"
#include "daemon/main/parameters.hpp"
#include "daemon/protocol/failure.hpp"

namespace stillboot {

// What would boot by itself, or would if anything did; empty where nothing would.
std::string Core::default_option() const {
    if (policy_.phase() == policy::Phase::countdown) {
        return policy_.target()->option;
    }
    const auto* const first = policy_.first();
    return first != nullptr ? first->option : std::string();
}

const protocol::Option* Core::find_option(const std::string& what, const ReplierPtr& replier) const {
    const auto found = registry_.find(what == "@default" ? default_option() : what);
    if (const auto* option = std::get_if<const protocol::Option*>(&found)) {
        return *option;
    }
    if (const auto* ambiguous = std::get_if<registry::Ambiguous>(&found)) {
        replier->reply(protocol::ambiguous(what, ambiguous->candidates));
    } else {
        replier->reply(protocol::not_found(what));
    }
    return nullptr;
}

// What is to be booted, where it can be; the caller is told otherwise.
std::optional<protocol::Option> Core::option_to_boot(const protocol::Boot::Parameters& asked,
                                                     const ReplierPtr& replier) const {
    if (asked.option.has_value() == asked.kernel.has_value()) {
        replier->reply(protocol::refused(Message("daemon.no_kernel_or_option")));
        return std::nullopt;
    }
    if (asked.kernel) {
        auto made = handover::option_of_kernel(registry_, *asked.kernel);
        if (!made) {
            refuse(made.error(), *replier);
            return std::nullopt;
        }
        return std::move(*made);
    }
    const auto* option = find_option(*asked.option, replier);
    if (option != nullptr && option->state == protocol::OptionState::waiting) {
        replier->reply(protocol::refused(
            Message("daemon.option_waiting", {{"title", option->title}, {"reason", option->reason->sentence()}})));
        return std::nullopt;
    }
    return option != nullptr ? std::optional(*option) : std::nullopt;
}

void Core::refuse(const Error& why, server::Replier& replier) {
    if (protocol::classify(why) != protocol::Failure::not_in_this_build) {
        replier.reply(protocol::refused(why.message()));
        return;
    }
    const Message what = why.code() == "daemon.no_urls"
                             ? Message("daemon.fetching", {{"url", why.message().param("url")}})
                             : Message("daemon.checking_passwords");
    replier.reply(protocol::not_in_this_build(what.sentence()));
}

void Core::boot(const Caller& caller) {
    const auto asked = parameters_of<protocol::Boot>(caller.call, *caller.replier);
    if (!asked) {
        return;
    }
    const auto option = option_to_boot(*asked, caller.replier);
    if (!option) {
        return;
    }
    handover::Overrides overrides;
    overrides.append = asked->append;
    overrides.args = asked->args;
    overrides.initrds = asked->initrds.value_or(std::vector<std::string>());
    overrides.devicetree = asked->devicetree;
    auto request = handover::request_of(registry_, *option, overrides);
    if (!request) {
        return refuse(request.error(), *caller.replier);
    }
    if (asked->dry_run.value_or(false)) {
        return dry_run(option->id, std::move(*request), caller.replier);
    }
    if (!answer_strict(asked->console.value_or(false), caller)) {
        use_entry(*option, *request);
        boot_option(*option, std::move(*request), caller);
    }
}

// Whether it comes from a console of a machine in strict mode; the caller is told.
bool Core::answer_strict(bool from_console, const Caller& caller) {
    const bool refused = from_console && policy_.strict();
    if (refused) {
        caller.replier->reply(protocol::refused(Message("daemon.strict")));
    }
    return refused;
}

// Whether a hand-over is under way, in which nothing else may begin; the caller is told.
bool Core::answer_busy(const Caller& caller) {
    const bool busy = policy_.phase() == policy::Phase::handover;
    if (busy) {
        caller.replier->reply(protocol::busy(policy_.target()->title));
    }
    return busy;
}

void Core::boot_option(const protocol::Option& option, handover::Request request, const Caller& caller) {
    if (answer_busy(caller)) {
        return;
    }
    log_.info(Message("daemon.boot_requested", {{"title", option.title}, {"peer", caller.peer.who().sentence()}}));
    protocol::Boot::Reply reply;
    reply.option = option.id;
    if (caller.replier->reply(reply_of(reply, caller.call.more)) && caller.call.more) {
        add_to(boot_watchers_, caller.replier);
    }
    chosen_ = std::move(request);
    booting_by_ = caller.peer.who().sentence();
    act(policy_.on_boot(std::chrono::steady_clock::now(), policy::Candidate(option.id, option.title)));
}

void Core::dry_run(const std::string& option, handover::Request request, const ReplierPtr& replier) {
    booter_.plan(std::move(request), [option, replier](Result<std::vector<std::string>> plan) {
        if (!plan) {
            replier->reply(protocol::refused(plan.error().message()));
            return;
        }
        protocol::Boot::Reply reply;
        reply.option = option;
        reply.plan = std::move(*plan);
        replier->reply(reply_of(reply));
    });
}

void Core::cancel(const Caller& caller) {
    const auto parameters = parameters_of<protocol::Cancel>(caller.call, *caller.replier);
    if (!parameters || answer_strict(parameters->console.value_or(false), caller)) {
        return;
    }
    protocol::Cancel::Reply reply;
    if (policy_.phase() == policy::Phase::handover) {
        reply.cancelled = protocol::Cancelled::handover;
    } else if (policy_.clock_runs()) {
        reply.cancelled = protocol::Cancelled::countdown;
    }
    const auto actions = policy_.on_cancel(std::chrono::steady_clock::now());
    caller.replier->reply(reply_of(reply));
    if (reply.cancelled != protocol::Cancelled::nothing) {
        const bool handover = reply.cancelled == protocol::Cancelled::handover;
        tell_of(events::Kind::cancelled, handover ? "handover" : "countdown", caller.peer);
    }
    act(actions);
}

void Core::set_default(const Caller& caller) {
    choose(caller, handover::ChosenFor::each_start);
}

void Core::set_one_shot(const Caller& caller) {
    choose(caller, handover::ChosenFor::next_start);
}

void Core::choose(const Caller& caller, handover::ChosenFor when) {
    const auto parameters = parameters_of<protocol::SetDefault>(caller.call, *caller.replier);
    if (!parameters) {
        return;
    }
    std::optional<handover::Choice> what;
    if (parameters->option) {
        const auto* const option = find_option(*parameters->option, caller.replier);
        if (option == nullptr) {
            return;
        }
        what = handover::Choice{option->id, option->title};
    }
    once_store_is_known(caller.replier, [this, when, what, peer = caller.peer, replier = caller.replier] {
        booter_.choose(when, what, [this, what, when, peer, replier](const Result<handover::Choices>& kept) {
            on_chosen(when, what, kept, peer, *replier);
        });
    });
}

void Core::on_chosen(handover::ChosenFor when, const std::optional<handover::Choice>& what,
                     const Result<handover::Choices>& kept, const server::Peer& peer, server::Replier& replier) {
    if (!kept) {
        replier.reply(protocol::refused(kept.error().message()));
        return;
    }
    const bool for_once = when == handover::ChosenFor::next_start;
    log_.info(
        Message(for_once ? "daemon.one_shot_set" : "daemon.default_set", {{"title", what ? what->title : "-"}}));
    tell_of(events::Kind::choice, for_once ? "one-shot" : "default", peer, what);
    keep_choices(*kept);
    act(policy_.on_choice(std::chrono::steady_clock::now(), claims()));
    protocol::SetDefault::Reply reply;
    reply.option = what ? std::optional(what->option_id) : std::nullopt;
    replier.reply(reply_of(reply));
}

}  // namespace stillboot
