// SPDX-License-Identifier: Apache-2.0
// Wiring fetch, kexec and quiesce to this machine.
#include "daemon/handover/machine_ports.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "daemon/probe/fetch_client.hpp"
#include "daemon/state/choice.hpp"
#include "kexec/handover/state.hpp"

namespace stillboot::handover {
namespace {

constexpr std::chrono::seconds store_patience{10};
constexpr std::chrono::milliseconds store_step{100};

}  // namespace

Result<UniqueFd> ProgramFetcher::fetch(const ImageSource& source, std::uint64_t max_bytes,
                                       const Progress& progress, std::stop_token stop) {
    probe::FetchOrder order;
    order.node = source.node;
    order.path = source.path;
    order.url = source.url;
    order.max_bytes = max_bytes;
    auto fetched = probe::fetch(order, progress, std::move(stop));
    if (!fetched) {
        return fetched.error();
    }
    return std::move(fetched->image);
}

std::vector<Message> StoppedScans::beyond_us(const std::vector<Message>& refusals) {
    std::vector<Message> out;
    std::copy_if(refusals.begin(), refusals.end(), std::back_inserter(out), [](const Message& user) {
        return user.code() != "quiesce.user_loop" || !user.param("source").starts_with("/dev/");
    });
    return out;
}

Options handover_options(const Settings& settings) {
    Options out;
    out.trial = settings.trial.value;
    out.moving = settings.moving.value;
    out.on_hang = settings.on_hang.value;
    out.watchdog = settings.watchdog.value;
    out.release_holders = settings.release_holders.value;
    out.report_on_command_line = settings.report_on_command_line.value;
    return out;
}

std::unique_ptr<quiesce::StateStore> open_store(const Root& root, const Settings& settings) {
    return state::open_store(root, settings.state_store.value);
}

Message why_no_store(const Root& root, const Settings& settings) {
    return state::why_no_store(root, settings.state_store.value);
}

std::shared_ptr<quiesce::StateStore> wait_for_store(const Root& root, const Settings& settings) {
    const auto until = std::chrono::steady_clock::now() + store_patience;
    while (true) {
        auto store = open_store(root, settings);
        // Before udev has looked at it, what is called so may be another disk.
        if (store != nullptr && !store->device().empty() && store->read()) {
            return store;
        }
        if (std::chrono::steady_clock::now() >= until) {
            return nullptr;
        }
        std::this_thread::sleep_for(store_step);
    }
}

Result<void> add_memory(quiesce::Policy& policy, quiesce::StateStore& store) {
    auto state = read_state(store);
    if (!state) {
        return state.error();
    }
    policy.learned = std::move(state->learned);
    policy.state_store = store.device();
    return {};
}

MachinePorts::MachinePorts(const Root& root, quiesce::Policy policy, const Settings& settings, Observer& observer,
                           std::function<void()> before_take_down)
    : store_(open_store(root, settings)),
      system_(root),
      quiescer_(system_.ports(), with_memory(std::move(policy))),
      restarter_(root, system_.ports().journal, settings.on_hang.value),
      watchdog_(root),
      counter_(root),
      hooks_(root, settings.hooks_deadline.value),
      loader_(root, runner_),
      surroundings_(std::move(before_take_down)),
      run_store_(root),
      entry_once_(root),
      ports_{root,         fetcher_,   loader_,    quiescer_, surroundings_, run_store_,
             store_.get(), restarter_, watchdog_,  counter_,  hooks_,        system_.ports().journal,
             observer,     clock_,     entry_once_} {}

// A store that cannot be read counts as none.
quiesce::Policy MachinePorts::with_memory(quiesce::Policy policy) {
    if (store_ == nullptr) {
        return policy;
    }
    if (auto added = add_memory(policy, *store_); !added) {
        store_failure_ = added.error();
        store_.reset();
    }
    return policy;
}

}  // namespace stillboot::handover
