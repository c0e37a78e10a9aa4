// SPDX-License-Identifier: Apache-2.0
// Wiring fetch, kexec and quiesce to this machine.
#include "daemon/handover/machine_ports.hpp"

#include <algorithm>

#include "daemon/probe/fetch_client.hpp"

namespace stillboot::handover {

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

MachinePorts::MachinePorts(const Root& root, quiesce::Policy policy, Observer& observer)
    : system_(root),
      quiescer_(system_.ports(), std::move(policy)),
      loader_(root, runner_),
      run_store_(root),
      ports_{root,     fetcher_, loader_, quiescer_, surroundings_, run_store_, nullptr, system_.ports().journal,
             observer, clock_} {}

}  // namespace stillboot::handover
