// SPDX-License-Identifier: Apache-2.0
// The methods of io.stillboot.
#include <algorithm>
#include <boost/json.hpp>

#include "config/parse/settings/value.hpp"
#include "daemon/main/attempts.hpp"
#include "daemon/main/core.hpp"
#include "daemon/main/parameters.hpp"
#include "daemon/protocol/boot_control.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/json.hpp"
#include "daemon/protocol/service.hpp"

namespace stillboot {
namespace {

using protocol::Role;

}  // namespace

void Core::on_call(const protocol::Call& call, const server::Peer& peer,
                   std::shared_ptr<server::Replier> replier) {
    struct Row {
        std::string_view name;
        Method method;
        Role role;
        bool takes_nothing;
    };
    static constexpr Row rows[] = {
        {protocol::GetState::name, &Core::get_state, Role::look, true},
        {protocol::ListOptions::name, &Core::list_options, Role::look, true},
        {protocol::ListDevices::name, &Core::list_devices, Role::look, true},
        {protocol::Watch::name, &Core::watch, Role::look, false},
        {protocol::GetLog::name, &Core::get_log, Role::look, false},
        {protocol::ListClients::name, &Core::list_clients, Role::look, true},
        {protocol::GetSettings::name, &Core::get_settings, Role::look, true},
        {protocol::GetQuiescePlan::name, &Core::get_quiesce_plan, Role::look, true},
        {protocol::GetReport::name, &Core::get_report, Role::look, true},
        {protocol::GetSystem::name, &Core::get_system, Role::look, true},
        {protocol::GetTimes::name, &Core::get_times, Role::look, true},
        {protocol::ListAttempts::name, &Core::list_attempts, Role::look, true},
        {protocol::Boot::name, &Core::boot, Role::boot, false},
        {protocol::Cancel::name, &Core::cancel, Role::boot, false},
        {protocol::Rescan::name, &Core::rescan, Role::boot, false},
        {protocol::AddConfiguration::name, &Core::add_configuration, Role::boot, false},
        {protocol::OpenDevice::name, &Core::open_device, Role::boot, false},
        {protocol::WaitForNetwork::name, &Core::wait_for_network, Role::boot, false},
        {protocol::SetDefault::name, &Core::set_default, Role::configure, false},
        {protocol::SetOneShot::name, &Core::set_one_shot, Role::configure, false},
        {protocol::SetSetting::name, &Core::set_setting, Role::configure, false},
        {protocol::LockConsole::name, &Core::lock_console, Role::all, true},
        {protocol::UnlockConsole::name, &Core::unlock_console, Role::look, false},
        {protocol::SetTimeout::name, &Core::set_timeout, Role::configure, false},
        {protocol::Reboot::name, &Core::reboot, Role::all, false},
        {protocol::PowerOff::name, &Core::power_off, Role::all, true},
    };
    if (call.method == protocol::list_boot_entries_name) {
        return list_boot_entries(Caller{call, peer, std::move(replier)});
    }
    const auto interface = protocol::interface_of(call.method);
    if (interface != protocol::interface_name && interface != protocol::boot_control_interface) {
        replier->reply(protocol::interface_not_found(interface));
        return;
    }
    const auto* row =
        std::find_if(std::begin(rows), std::end(rows), [&](const Row& each) { return each.name == call.method; });
    if (row == std::end(rows)) {
        replier->reply(protocol::method_not_found(call.method));
        return;
    }
    if (!protocol::includes(peer.allowed(), row->role)) {
        return deny(Caller{call, peer, std::move(replier)}, row->role);
    }
    if (row->takes_nothing && !parameters_of<protocol::GetState>(call, *replier)) {
        return;
    }
    (this->*row->method)(Caller{call, peer, std::move(replier)});
}

void Core::deny(const Caller& caller, Role needed) {
    caller.replier->reply(protocol::permission_denied(needed, caller.peer.allowed()));
    const std::string who = caller.peer.who().sentence();
    on_trouble(caller.peer.key(),
               Message("daemon.call_denied", {{"peer", who},
                                              {"method", caller.call.method},
                                              {"needed", protocol::to_word(needed)},
                                              {"has", protocol::to_word(caller.peer.allowed())}}));
}

// Who asks again and again must not fill the log.
void Core::on_trouble(const std::string& source, const Message& what) {
    const auto dropped = trouble_.admit(source, std::chrono::steady_clock::now());
    if (!dropped) {
        return;
    }
    if (*dropped > 0) {
        log_.warning(Message("daemon.trouble_dropped", {{"count", *dropped}, {"source", source}}));
    }
    log_.warning(what);
    events::Event event;
    event.kind = events::Kind::refused;
    event.by = source;
    event.reason = what;
    hooks_.tell(event);
}

void Core::get_state(const Caller& caller) {
    protocol::GetState::Reply reply;
    reply.state = state();
    caller.replier->reply(reply_of(reply));
}

void Core::list_options(const Caller& caller) {
    protocol::ListOptions::Reply reply;
    reply.options = registry_.options();
    caller.replier->reply(reply_of(reply));
}

void Core::list_devices(const Caller& caller) {
    protocol::ListDevices::Reply reply;
    reply.devices = registry_.devices();
    caller.replier->reply(reply_of(reply));
}

// What would boot by itself, or would if anything did; empty where nothing would.
std::string Core::default_option() const {
    if (policy_.phase() == policy::Phase::countdown) {
        return policy_.target()->option;
    }
    for (const auto& claim : claims()) {
        if (!claim.names.empty()) {
            return claim.names.front().option;
        }
    }
    return {};
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
    const Message fetching("daemon.fetching", {{"url", why.message().param("url")}});
    const bool is_url = why.code() == "daemon.no_urls";
    replier.reply(protocol::not_in_this_build(is_url ? fetching.sentence() : why.sentence()));
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
        boot_watchers_.push_back(caller.replier);
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
    const auto phase = policy_.phase();
    const auto actions = policy_.on_cancel(std::chrono::steady_clock::now());
    if (phase == policy::Phase::handover) {
        reply.cancelled = protocol::Cancelled::handover;
    } else if (phase == policy::Phase::countdown) {
        reply.cancelled = protocol::Cancelled::countdown;
    }
    caller.replier->reply(reply_of(reply));
    tell_of(events::Kind::cancelled, phase == policy::Phase::handover ? "handover" : "countdown", caller.peer);
    act(actions);
}

void Core::rescan(const Caller& caller) {
    const auto parameters = parameters_of<protocol::Rescan>(caller.call, *caller.replier);
    if (!parameters) {
        return;
    }
    if (!hooks_.rescan(parameters->device)) {
        caller.replier->reply(protocol::not_found(parameters->device.value_or("")));
        return;
    }
    caller.replier->reply(reply_of(protocol::Nothing()));
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
    booter_.choose(
        when, what,
        [this, what, when, peer = caller.peer, replier = caller.replier](const Result<handover::Choices>& kept) {
            if (!kept) {
                replier->reply(protocol::refused(kept.error().message()));
                return;
            }
            log_.info(
                Message(when == handover::ChosenFor::next_start ? "daemon.one_shot_set" : "daemon.default_set",
                        {{"title", what ? what->title : "-"}}));
            tell_of(events::Kind::choice, when == handover::ChosenFor::next_start ? "one-shot" : "default", peer,
                    what);
            keep_choices(*kept);
            act(policy_.on_choice(std::chrono::steady_clock::now(), claims()));
            protocol::SetDefault::Reply reply;
            reply.option = what ? std::optional(what->option_id) : std::nullopt;
            replier->reply(reply_of(reply));
        });
}

void Core::get_report(const Caller& caller) {
    protocol::GetReport::Reply reply;
    reply.report = report_;
    caller.replier->reply(reply_of(reply));
}

void Core::list_attempts(const Caller& caller) {
    protocol::ListAttempts::Reply reply;
    reply.attempts = attempts_as_known(past_attempts_, registry_);
    caller.replier->reply(reply_of(reply));
}

void Core::get_system(const Caller& caller) {
    protocol::GetSystem::Reply reply;
    reply.system = hooks_.system();
    caller.replier->reply(reply_of(reply));
}

void Core::get_times(const Caller& caller) {
    caller.replier->reply(reply_of(times_.reply()));
}

void Core::get_settings(const Caller& caller) {
    protocol::GetSettings::Reply reply;
    reply.settings = settings_.list();
    caller.replier->reply(reply_of(reply));
}

void Core::set_setting(const Caller& caller) {
    if (const auto asked = parameters_of<protocol::SetSetting>(caller.call, *caller.replier)) {
        say_setting(*asked, caller);
    }
}

void Core::set_timeout(const Caller& caller) {
    if (const auto asked = parameters_of<protocol::SetTimeout>(caller.call, *caller.replier)) {
        say_setting(
            {"timeout", asked->seconds ? std::to_string(*asked->seconds) : "never", asked->once, asked->console},
            caller);
    }
}

void Core::say_setting(const protocol::SetSetting::Parameters& asked, const Caller& caller) {
    if (answer_strict(asked.console.value_or(false), caller)) {
        return;
    }
    if (guards_consoles(asked.key) && !protocol::includes(caller.peer.allowed(), Role::all)) {
        return deny(caller, Role::all);
    }
    if (const auto why = asked.key == "password" && asked.value ? hooks_.why_no_passwords() : std::nullopt) {
        return refuse(*why, *caller.replier);
    }
    const bool lasting = !asked.once.value_or(false);
    const auto done = [this, key = asked.key, peer = caller.peer,
                       replier = caller.replier](const Result<void>& set) {
        if (!set) {
            replier->reply(protocol::refused(set.error().message()));
            return;
        }
        const auto settings = settings_.list();
        const auto changed =
            std::find_if(settings.begin(), settings.end(), [&](const auto& each) { return each.key == key; });
        protocol::SetSetting::Reply reply;
        reply.setting = *changed;
        log_.info(Message("daemon.setting_said", {{"key", changed->key},
                                                  {"value", changed->value},
                                                  {"origin", changed->origin},
                                                  {"peer", peer.who().sentence()}}));
        tell_of(events::Kind::setting, changed->key, peer);
        replier->reply(reply_of(reply));
    };
    settings_.set(asked.key, asked.value, lasting, done);
}

void Core::reboot(const Caller& caller) {
    const auto asked = parameters_of<protocol::Reboot>(caller.call, *caller.replier);
    if (!asked) {
        return;
    }
    if (!asked->firmware_setup.value_or(false)) {
        return restart(caller, false);
    }
    if (answer_busy(caller)) {
        return;
    }
    hooks_.ask_for_setup([this, replier = caller.replier](const Result<void>& done) {
        if (!done) {
            replier->reply(protocol::refused(done.error().message()));
            return;
        }
        log_.info(Message("daemon.setup_asked"));
        replier->reply(reply_of(protocol::Nothing()));
        hooks_.restart(false);
    });
}

void Core::power_off(const Caller& caller) {
    restart(caller, true);
}

// Not in the middle of a hand-over: the kernel would wait for the very devices that are being unbound.
void Core::restart(const Caller& caller, bool power_off) {
    if (answer_busy(caller)) {
        return;
    }
    if (const auto reason = hooks_.why_no_restart(power_off)) {
        caller.replier->reply(protocol::refused(*reason));
        return;
    }
    caller.replier->reply(reply_of(protocol::Nothing()));
    hooks_.restart(power_off);
}

}  // namespace stillboot
