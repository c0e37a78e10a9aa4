// SPDX-License-Identifier: Apache-2.0
// Planning a big machine from its file, and reading this one from sysfs beside `find /sys/devices -name driver`.
// usage: plan_bench            prints the tables
//        plan_bench FILE       reads and plans this inventory, once; what a process of its own costs
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "quiesce/plan.hpp"
#include "quiesce/recorded_inventory.hpp"
#include "tests/quiesce/generated_machine.hpp"
#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;

namespace {

constexpr int rounds = 15;
constexpr double limit_ms = 50;
constexpr long limit_kb = 20'000;

double milliseconds_of(const std::function<void()>& act) {
    const auto begin = std::chrono::steady_clock::now();
    act();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

/// Of one thread that waits for nothing: as long as it takes where no one else wants the processor.
double processor_milliseconds_of(const std::function<void()>& act) {
    const auto now = [] {
        timespec time = {};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
    };
    const double begin = now();
    act();
    return now() - begin;
}

double median_of(const std::function<double()>& measure) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        times.push_back(measure());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

std::string text_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// As `stillboot quiesce plan --inventory FILE` does it.
int plan_file(const std::string& path) {
    const std::string text = text_of_file(path);
    Result<RecordedInventory> recorded = Error("quiesce.inventory_other");
    Plan plan;
    const double reading = processor_milliseconds_of([&] { recorded = inventory_from_json(text); });
    if (!recorded) {
        std::fprintf(stderr, "%s\n", recorded.error().sentence().c_str());
        return 1;
    }
    const double planning = processor_milliseconds_of([&] { plan = make_plan(recorded->inventory, {}); });
    std::printf("%f %f %zu\n", reading, planning, plan.steps.size());
    return 0;
}

struct Child {
    int status = -1;
    long peak_kb = 0;
    std::string said;
};

Child run(const std::vector<std::string>& words) {
    std::vector<char*> argv;
    for (const auto& word : words) {
        argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    int ends[2] = {-1, -1};
    posix_spawn_file_actions_t actions;
    Child child;
    if (::pipe2(ends, O_CLOEXEC) != 0 || ::posix_spawn_file_actions_init(&actions) != 0) {
        return child;
    }
    const UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
    pid_t pid = -1;
    const int failed = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    writing = UniqueFd();
    if (failed != 0) {
        return child;
    }
    child.said = read_all(reading.get(), 64 << 20, "pipe").value_or("");
    rusage usage = {};
    ::wait4(pid, &child.status, 0, &usage);
    child.peak_kb = usage.ru_maxrss;
    return child;
}

/// @return whether the limits hold.
bool plan_table(const std::string& self, std::size_t devices, std::size_t links) {
    quiesce::test::MachineOrder order;
    order.devices = devices;
    order.links = links;
    RecordedInventory recorded;
    recorded.inventory = quiesce::test::generated_machine(order);
    const stillboot::test::TemporaryTree tree;
    const std::string text = to_text(recorded);
    tree.file("machine.json", text);
    double reading = 0;
    double planning = 0;
    std::size_t steps = 0;
    long peak_kb = 0;
    std::vector<std::pair<double, double>> times;
    for (int i = 0; i < rounds; ++i) {
        const Child child = run({self, (tree.path() / "machine.json").string()});
        if (child.status != 0 ||
            std::sscanf(child.said.c_str(), "%lf %lf %zu", &reading, &planning, &steps) != 3) {
            std::fprintf(stderr, "the run failed\n");
            return false;
        }
        times.emplace_back(reading + planning, planning);
        peak_kb = std::max(peak_kb, child.peak_kb);
    }
    std::sort(times.begin(), times.end());
    std::tie(reading, planning) = times[times.size() / 2];
    std::printf("%8zu %8zu %8zu kB %7zu %10.1f ms %10.1f ms %10.1f ms %9.1f MB\n",
                recorded.inventory.devices.size(), links, text.size() / 1000, steps, reading - planning, planning,
                reading, static_cast<double>(peak_kb) / 1000);
    return devices > 2100 || (reading < limit_ms && peak_kb < limit_kb);
}

void sysfs_table() {
    const auto root = Root::open("/");
    std::size_t devices = 0;
    const double reading = median_of([&] {
        return milliseconds_of([&] {
            const auto inventory = read_inventory(*root);
            devices = inventory ? inventory->devices.size() : 0;
        });
    });
    std::size_t bound = 0;
    const double finding = median_of([&] {
        return milliseconds_of([&] {
            const Child child = run({"find", "/sys/devices", "-name", "driver"});
            bound = static_cast<std::size_t>(std::count(child.said.begin(), child.said.end(), '\n'));
        });
    });
    std::printf("\nThis machine, median of %d: %zu devices on buses, %zu bound\n", rounds, devices, bound);
    std::printf("%-40s %8.1f ms\n", "reading the inventory from sysfs", reading);
    std::printf("%-40s %8.1f ms\n", "find /sys/devices -name driver", finding);
}

}  // namespace

int main(int count, char** words) {
    if (count > 1) {
        return plan_file(words[1]);
    }
    std::printf(
        "Planning a recorded machine in a process of its own, processor time, median of %d; at most %.0f ms and "
        "%ld MB\n",
        rounds, limit_ms, limit_kb / 1000);
    std::printf("%8s %8s %11s %7s %13s %13s %13s %12s\n", "devices", "links", "file", "steps", "reading it",
                "planning", "together", "peak memory");
    bool held = true;
    for (const auto& [devices, links] :
         {std::pair<std::size_t, std::size_t>{200, 500}, {2000, 5000}, {8000, 20000}}) {
        held = plan_table("/proc/self/exe", devices, links) && held;
    }
    sysfs_table();
    return held ? 0 : 1;
}
