// SPDX-License-Identifier: Apache-2.0
// Telling clients what changes: Watch, GetLog, and who is connected.
#include <sys/random.h>

#include <algorithm>
#include <chrono>

#include "daemon/main/core.hpp"
#include "daemon/main/frame.hpp"
#include "daemon/main/parameters.hpp"
#include "daemon/protocol/boot_control.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/service.hpp"

namespace stillboot {
namespace {

using SteadyClock = std::chrono::steady_clock;
/// How long clients that begin to watch share one reply: not so long that the time left in it would mislead.
constexpr std::chrono::milliseconds whole_lasts{200};

}  // namespace

// Where the kernel gives no random bytes (before 3.17) the time must do: it need only differ from the run before.
std::string new_session() {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random) {
        random = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    }
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4) {
        text += digits[(random >> shift) & 0xf];
    }
    return text;
}

void Core::publish(protocol::Change change) {
    change.seq = history_.last() + 1;
    SentChange sent;
    sent.seq = change.seq;
    sent.only_state = change.state && change.options.empty() && change.options_removed.empty() &&
                      change.devices.empty() && change.devices_removed.empty();
    protocol::Watch::Reply reply;
    reply.change = std::move(change);
    sent.frame = frame_of(reply, true);
    const Frame frame = sent.frame;
    history_.add(std::move(sent));
    send_all(watchers_, frame);
}

void Core::publish_state() {
    protocol::Change change;
    change.state = state();
    told_default_ = change.state->default_option.value_or("");
    publish(std::move(change));
}

// Hundreds of clients that begin at once share one frame, which is gone when the last of them has read it.
Frame Core::everything() {
    const auto now = SteadyClock::now();
    Frame frame = whole_.lock();
    if (frame && whole_seq_ == history_.last() && now - whole_made_ < whole_lasts) {
        return frame;
    }
    protocol::Watch::Reply reply;
    reply.session = session_;
    reply.change.seq = history_.last();
    reply.change.whole = true;
    reply.change.state = state();
    reply.change.options = registry_.options();
    reply.change.devices = registry_.devices();
    frame = frame_of(reply, true);
    whole_ = frame;
    whole_seq_ = history_.last();
    whole_made_ = now;
    return frame;
}

// In one piece: what a client missed may be longer than what may wait for it. The last state is told anew, for the
// time left in it has gone on.
Frame Core::missed(std::uint64_t since, const std::vector<SentChange>& changes) const {
    protocol::Watch::Reply head;
    head.session = session_;
    head.change.seq = since;
    std::string frames = *frame_of(head, true);
    const auto newest =
        std::find_if(changes.rbegin(), changes.rend(), [](const auto& each) { return each.only_state; });
    for (const auto& each : changes) {
        if (newest == changes.rend() || each.seq != newest->seq) {
            frames += *each.frame;
            continue;
        }
        protocol::Watch::Reply reply;
        reply.change.seq = each.seq;
        reply.change.state = state();
        frames += *frame_of(reply, true);
    }
    return std::make_shared<const std::string>(std::move(frames));
}

void Core::watch(const Caller& caller) {
    if (!caller.call.more) {
        caller.replier->reply(protocol::expected_more());
        return;
    }
    const auto from = parameters_of<protocol::Watch>(caller.call, *caller.replier);
    if (!from) {
        return;
    }
    const bool known = from->since && from->session == session_;
    const auto changes = known ? history_.after(*from->since) : std::nullopt;
    if (caller.replier->reply_frame(changes ? missed(*from->since, *changes) : everything(), true)) {
        add_to(watchers_, caller.replier);
    }
}

void Core::get_log(const Caller& caller) {
    const auto from = parameters_of<protocol::GetLog>(caller.call, *caller.replier);
    if (!from) {
        return;
    }
    const auto& kept = log_.lines();
    const std::uint64_t first = kept.empty() ? 1 : kept.front().seq;
    const std::uint64_t last = kept.empty() ? 0 : kept.back().seq;
    const bool goes_on =
        from->since && from->session == session_ && *from->since + 1 >= first && *from->since <= last;
    protocol::GetLog::Reply reply;
    reply.session = session_;
    reply.whole = !goes_on;
    for (const auto& entry : kept) {
        if (!goes_on || entry.seq > *from->since) {
            reply.lines.push_back(log_line_of(entry));
        }
    }
    if (caller.replier->reply_frame(frame_of(reply, caller.call.more), caller.call.more) && caller.call.more) {
        add_to(log_watchers_, caller.replier);
    }
}

void Core::list_clients(const Caller& caller) {
    protocol::ListClients::Reply reply;
    reply.clients = hooks_.clients();
    caller.replier->reply_frame(frame_of(reply, false), false);
}

// All in one piece, as with what was missed.
void Core::list_boot_entries(const Caller& caller) {
    if (!parameters_of<protocol::GetState>(caller.call, *caller.replier)) {
        return;
    }
    if (!caller.call.more) {
        caller.replier->reply(protocol::expected_more());
        return;
    }
    const std::string by_itself = policy_.target() ? policy_.target()->option : default_option();
    std::vector<boost::json::object> entries;
    for (const auto& option : registry_.options()) {
        const auto* device = registry_.device(option.device_id);
        const bool on_fat = device != nullptr && device->filesystem == "vfat";
        entries.push_back(protocol::boot_entry(option, on_fat, option.id == by_itself));
    }
    caller.replier->reply_frame(std::make_shared<const std::string>(protocol::boot_entry_frames(entries)), false);
}

}  // namespace stillboot
