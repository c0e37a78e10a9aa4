// SPDX-License-Identifier: Apache-2.0
// The methods of io.stillboot: who may call which, and those that only tell or restart.
#include <algorithm>

#include "daemon/main/attempts.hpp"
#include "daemon/main/core.hpp"
#include "daemon/main/parameters.hpp"
#include "daemon/protocol/boot_control.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/service.hpp"

namespace stillboot {

using protocol::Role;

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
        {protocol::PowerOff::name, &Core::power_off, Role::all, false},
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
    if (call.method == protocol::Cancel::name && peer.locked && !settings_known()) {
        return cancel_later(Caller{call, peer, std::move(replier)});
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

void Core::reboot(const Caller& caller) {
    const auto asked = parameters_of<protocol::Reboot>(caller.call, *caller.replier);
    if (!asked || answer_strict(asked->console.value_or(false), caller)) {
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
    const auto asked = parameters_of<protocol::PowerOff>(caller.call, *caller.replier);
    if (asked && !answer_strict(asked->console.value_or(false), caller)) {
        restart(caller, true);
    }
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
