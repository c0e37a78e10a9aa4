// SPDX-License-Identifier: Apache-2.0
// stillboot-probe: scans one device in confinement and hands back what it found. Its order comes over
// descriptor 3.
#include <unistd.h>

#include <boost/json.hpp>
#include <new>

#include "config/base/memfd.hpp"
#include "config/parse/scan_file_system.hpp"
#include "daemon/probe/channel.hpp"
#include "daemon/probe/confined_view.hpp"
#include "daemon/probe/helper.hpp"
#include "daemon/protocol/json.hpp"

namespace stillboot::probe {
namespace {

ScanResult scan_view(View view, DeviceId device, const std::vector<std::string>& named, Channel& channel) {
    // udev may not have read the file system yet.
    device.uuid = device.uuid.empty() ? view.system.uuid : device.uuid;
    device.label = device.label.empty() ? view.system.label : device.label;
    const std::string type = view.system.type;
    const bool pending = view.system.journal_pending;
    MountedSource files(std::move(device), std::move(view.root), channel);
    ScanResult result = scan_file_system(files, named);
    if (pending) {
        result.diagnostics.emplace_back(Severity::warning, "", 0, 0,
                                        Message("probe.journal_pending", {{"type", type}}));
    }
    return result;
}

Result<ScanResult> scan(Order order, Channel& channel) {
    auto look = look_into(order.device.node, Limits());
    if (!look) {
        return look.error();
    }
    if (auto* view = std::get_if<View>(&*look)) {
        return scan_view(std::move(*view), std::move(order.device), order.named, channel);
    }
    ScanResult result;
    if (auto* container = std::get_if<Container>(&*look)) {
        result.finding = std::move(*container);
    } else {
        result.finding = std::get<Nothing>(std::move(*look));
    }
    return result;
}

Result<void> run(Channel& channel) {
    auto order = channel.receive_order();
    if (!order) {
        return order.error();
    }
    auto result = scan(std::move(*order), channel);
    if (!result) {
        return channel.finish(Report(Failed{result.error().message()}));
    }
    const auto memfd = sealed_memfd("scan", boost::json::serialize(protocol::to_json(*result)));
    if (!memfd) {
        return channel.finish(Report(Failed{memfd.error().message()}));
    }
    return channel.finish(Report(ScanDone{}), memfd->get());
}

int run_and_report() {
    Channel channel(helper_socket);
    try {
        return run(channel) ? 0 : 1;
    } catch (const std::bad_alloc&) {
        return channel.finish(Report(Failed{Message("probe.out_of_memory")})) ? 0 : 1;
    }
}

}  // namespace
}  // namespace stillboot::probe

int main() {
    // _exit: what runs after main has no business here, and a leak checker's system calls are not allowed.
    ::_exit(stillboot::probe::run_and_report());
}
