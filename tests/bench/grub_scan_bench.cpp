// SPDX-License-Identifier: Apache-2.0
// The same two large configurations end to end: from the start of a scan (a probe process that mounts a view of an
// ext4 and evaluates its grub.cfg) to the options in the daemon's registry. Prints a table; it judges nothing.
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <vector>

#include "daemon/probe/runner.hpp"
#include "daemon/registry/registry.hpp"
#include "tests/bench/grub_entries.hpp"
#include "tests/daemon/probe/images.hpp"

namespace {

using namespace stillboot;
namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr int entries = 2000;
constexpr int rounds = 11;
constexpr int skipped = 77;  // what meson takes for "skipped"

DeviceId device_at(const std::string& node) {
    DeviceId device;
    device.id = "disk";
    device.node = node;
    device.uuid = "7a1e3c52-94b0-4a3d-8c86-2f6f0b9d5e11";
    return device;
}

std::string make_disk(const test::TemporaryTree& tree, const std::string& name, const std::string& configuration) {
    const test::TemporaryTree content;
    content.file("boot/grub/grub.cfg", configuration);
    std::string path = test::make_empty_image(tree, name, off_t{32} << 20);
    const bool made = test::run({"mkfs.ext4", "-q", "-F", "-U", device_at("").uuid, "-d", content.path(), path});
    return made ? path : std::string();
}

asio::awaitable<probe::Answer> nothing_there(probe::Question /*question*/) {
    co_return probe::Answer(Message("config.device_missing", {{"kind", "uuid"}, {"value", "x"}}));
}

asio::awaitable<void> scan_into(probe::Runner* runner, registry::Registry* registry, DeviceId device) {
    auto result = co_await runner->scan(std::move(device), {}, nothing_there);
    if (result) {
        registry->set_result("disk", std::move(*result));
    } else {
        std::fprintf(stderr, "%s\n", result.error().sentence().c_str());
    }
}

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Of this process and its probes alone: the machine may be busy with other things.
double cpu_milliseconds() {
    double sum = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage usage{};
        ::getrusage(who, &usage);
        for (const timeval& each : {usage.ru_utime, usage.ru_stime}) {
            sum += static_cast<double>(each.tv_sec) * 1e3 + static_cast<double>(each.tv_usec) / 1e3;
        }
    }
    return sum;
}

double peak_megabytes(int who) {
    rusage usage{};
    ::getrusage(who, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Milliseconds of one scan, and how many options the registry then held.
std::pair<double, std::size_t> scan_once(const std::string& image) {
    asio::io_context loop;
    probe::Runner runner(loop.get_executor(), {});
    registry::Registry registry({});
    registry::DeviceRecord record;
    record.identity = device_at(image);
    registry.put_device(record);
    const auto start = Clock::now();
    asio::co_spawn(loop, scan_into(&runner, &registry, record.identity), [](const std::exception_ptr& thrown) {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    });
    loop.run();
    return {milliseconds_since(start), registry.options().size()};
}

bool measure(const std::string& name, const std::string& image, std::size_t expected) {
    std::vector<double> times;
    const double cpu_before = cpu_milliseconds();
    for (int round = 0; round < rounds; ++round) {
        const auto [took, options] = scan_once(image);
        if (options != expected) {
            std::fprintf(stderr, "%s: %zu of %zu entries came to the registry\n", name.c_str(), options, expected);
            return false;
        }
        times.push_back(took);
    }
    std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
    const double median = times[rounds / 2];
    std::printf("%-22s %7.1f ms %7.1f ms %12.0f\n", name.c_str(), median,
                (cpu_milliseconds() - cpu_before) / rounds, static_cast<double>(expected) / median * 1000);
    return true;
}

}  // namespace

int main() {
    if (const std::string reason = test::why_no_mounts(); !reason.empty()) {
        std::printf("skipped: a scan of an image %s\n", reason.c_str());
        return skipped;
    }
    const test::TemporaryTree tree;
    std::printf("From the scan's start to the options in the registry, median of %d\n", rounds);
    std::printf("%-22s %10s %10s %12s\n", "entries", "time", "CPU time", "entries/s");
    const bool done =
        measure("1, the cost of a scan", make_disk(tree, "one", test::grub_configuration(1, false)), 1) &&
        measure("2000 minimal", make_disk(tree, "minimal", test::grub_configuration(entries, false)), entries) &&
        measure("2000 as by Ubuntu", make_disk(tree, "ubuntu", test::grub_configuration(entries, true)), entries);
    std::printf("most memory: %.1f MB in the scan, %.1f MB here\n", peak_megabytes(RUSAGE_CHILDREN),
                peak_megabytes(RUSAGE_SELF));
    return done ? 0 : 1;
}
