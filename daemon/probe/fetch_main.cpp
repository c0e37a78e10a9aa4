// SPDX-License-Identifier: Apache-2.0
// stillboot-fetch: brings one file of a device, or a local one, as a sealed memfd, or says what a path is. Its
// order comes over descriptor 3. No digest yet: whoever verifies reads the sealed bytes themselves.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "config/parse/directory_source.hpp"
#include "daemon/probe/channel.hpp"
#include "daemon/probe/confined_view.hpp"
#include "daemon/probe/fetch_file.hpp"
#include "daemon/probe/helper.hpp"

namespace stillboot::probe {
namespace {

Limits limits_of(const Order& order) {
    Limits limits;
    limits.memory_bytes = std::uint64_t{128} * 1024 * 1024;
    limits.cpu_seconds = 600;
    limits.file_bytes = std::max(order.max_bytes, limits.file_bytes);
    return limits;
}

Answer copy(Result<UniqueFd> file, const Order& order, std::uint64_t available, const Channel& channel) {
    if (!file) {
        const int reason = file.error().error_number();
        const bool missing = reason == ENOENT || reason == ENOTDIR;
        const std::string where = order.device.node.empty() ? "this machine" : order.device.node;
        return missing ? Answer(Message("config.file_missing", {{"path", order.path}, {"device", where}}))
                       : Answer(file.error());
    }
    auto copied = copy_to_memfd(file->get(), order.path, {order.max_bytes, available},
                                [&](std::uint64_t done, std::uint64_t total) { channel.progress(done, total); });
    if (!copied) {
        return Answer(copied.error());
    }
    Answer answer;
    answer.content = std::move(*copied);
    return answer;
}

Answer answer_from_view(View view, const Order& order, std::uint64_t available, const Channel& channel) {
    if (order.mode == Order::Mode::read) {
        return copy(view.root.open_file(order.path, O_RDONLY | O_NONBLOCK | O_NOCTTY), order, available, channel);
    }
    DirectorySource files({order.device, std::move(view.root)}, {});
    Answer answer;
    if (order.mode == Order::Mode::kind) {
        answer.kind = files.kind(DeviceRef(), order.path);
    } else if (order.mode == Order::Mode::size) {
        answer.size = files.size(DeviceRef(), order.path);
    } else {
        answer.names = files.list(DeviceRef(), order.path);
    }
    return answer;
}

Answer answer_from_device(const Order& order, const Channel& channel) {
    const std::uint64_t available = available_memory_bytes();
    auto look = look_into(order.device.node, limits_of(order));
    if (!look) {
        return Answer(look.error());
    }
    if (const auto* container = std::get_if<Container>(&*look)) {
        return Answer(container->reason);
    }
    if (const auto* nothing = std::get_if<Nothing>(&*look)) {
        return Answer(nothing->reason);
    }
    return answer_from_view(std::get<View>(std::move(*look)), order, available, channel);
}

Answer answer_from_local_file(const Order& order, const Channel& channel) {
    const std::uint64_t available = available_memory_bytes();
    UniqueFd opened(::open(order.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    Result<UniqueFd> file =
        opened ? Result<UniqueFd>(std::move(opened))
               : Result<UniqueFd>(Error::from_errno(errno, "base.open_failed", {{"path", order.path}}));
    if (auto confined = confine_to_open_files(limits_of(order)); !confined) {
        return Answer(confined.error());
    }
    return copy(std::move(file), order, available, channel);
}

Result<void> run(Channel& channel) {
    auto order = channel.receive_order();
    if (!order) {
        return order.error();
    }
    if (order->device.node.empty()) {
        return channel.finish(answer_from_local_file(*order, channel));
    }
    return channel.finish(answer_from_device(*order, channel));
}

int run_and_report() {
    Channel channel(helper_socket);
    try {
        return run(channel) ? 0 : 1;
    } catch (const std::bad_alloc&) {
        return channel.finish(Answer(Message("probe.out_of_memory"))) ? 0 : 1;
    }
}

}  // namespace
}  // namespace stillboot::probe

int main() {
    ::_exit(stillboot::probe::run_and_report());
}
