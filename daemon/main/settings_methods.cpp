// SPDX-License-Identifier: Apache-2.0
// Settings as clients read and say them.
#include <algorithm>

#include "config/parse/settings/value.hpp"
#include "daemon/main/core.hpp"
#include "daemon/main/parameters.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/service.hpp"

namespace stillboot {

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
    if (guards_consoles(asked.key) && !protocol::includes(caller.peer.allowed(), protocol::Role::all)) {
        return deny(caller, protocol::Role::all);
    }
    if (asked.key == "password" && asked.value) {
        return say_password(asked, caller);
    }
    keep_setting(asked, caller.peer, caller.replier);
}

// One that can never be matched would shut every console for good.
void Core::say_password(const protocol::SetSetting::Parameters& asked, const Caller& caller) {
    if (const auto why = hooks_.why_no_passwords()) {
        return refuse(*why, *caller.replier);
    }
    if (*asked.value == "none" || check_setting(settings_.now(), {asked.key, *asked.value})) {
        return keep_setting(asked, caller.peer, caller.replier);
    }
    hooks_.check_hash(*asked.value,
                      [this, asked, peer = caller.peer, replier = caller.replier](const Result<bool>& can_match) {
                          if (!can_match) {
                              return refuse(can_match.error(), *replier);
                          }
                          if (!*can_match) {
                              replier->reply(protocol::refused(Message("daemon.bad_hash")));
                              return;
                          }
                          keep_setting(asked, peer, replier);
                      });
}

void Core::keep_setting(const protocol::SetSetting::Parameters& asked, const server::Peer& peer,
                        const ReplierPtr& replier) {
    const bool lasting = !asked.once.value_or(false);
    const auto done = [this, key = asked.key, peer, replier](const Result<void>& set) {
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
    const auto set = [this, asked, lasting, done] { settings_.set(asked.key, asked.value, lasting, done); };
    lasting ? once_store_is_known(replier, set) : set();
}

}  // namespace stillboot
