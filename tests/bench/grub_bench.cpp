// SPDX-License-Identifier: Apache-2.0
// How fast and in how much memory the GRUB evaluator reads a large configuration, beside grub-script-check, which
// only parses it. Prints a table; it judges nothing.
#include <malloc.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

#include "config/parse/grub/grub.hpp"
#include "tests/bench/grub_entries.hpp"
#include "tests/config/parse/memory_source.hpp"
#include "tests/temporary_tree.hpp"

namespace {

std::size_t bytes_now = 0;
std::size_t bytes_peak = 0;

void* counted(std::size_t size) {
    void* memory = std::malloc(size);
    if (memory == nullptr) {
        std::abort();
    }
    bytes_now += ::malloc_usable_size(memory);
    bytes_peak = std::max(bytes_peak, bytes_now);
    return memory;
}

void uncounted(void* memory) {
    bytes_now -= memory == nullptr ? 0 : ::malloc_usable_size(memory);
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
    return counted(size);
}
void* operator new[](std::size_t size) {
    return counted(size);
}
void operator delete(void* memory) noexcept {
    uncounted(memory);
}
void operator delete[](void* memory) noexcept {
    uncounted(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    uncounted(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
    uncounted(memory);
}

namespace {

constexpr int entries = 2000;
constexpr int rounds = 21;

// Of this process alone: the machine may be busy with other things.
double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Measured {
    double seconds = 0;
    std::size_t bytes = 0;
    std::size_t options = 0;
};

double median(std::vector<double> times) {
    std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
    return times[rounds / 2];
}

double cpu_seconds_of_children() {
    rusage used{};
    ::getrusage(RUSAGE_CHILDREN, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

/// Seconds that GRUB's own parser takes, its process's start included; 0 where it is not installed.
double script_check_seconds(bool ubuntu) {
    const stillboot::test::TemporaryTree tree;
    tree.file("grub.cfg", stillboot::test::grub_configuration(entries, ubuntu));
    const std::string command = "grub-script-check " + (tree.path() / "grub.cfg").string() + " 2>/dev/null";
    std::vector<double> times;
    for (int round = 0; round < rounds; ++round) {
        const double start = cpu_seconds_of_children();
        if (std::system(command.c_str()) != 0) {
            return 0;
        }
        times.push_back(cpu_seconds_of_children() - start);
    }
    return median(std::move(times));
}

Measured measure(bool ubuntu) {
    const std::string path = "/boot/grub/grub.cfg";
    stillboot::test::MemorySource source;
    source.devices.front().files[path] = stillboot::test::grub_configuration(entries, ubuntu);
    source.devices.front().id.uuid = "7a1e3c52-94b0-4a3d-8c86-2f6f0b9d5e11";
    std::vector<double> times;
    Measured out;
    for (int round = 0; round < rounds; ++round) {
        bytes_peak = bytes_now;
        const std::size_t before = bytes_now;
        const double start = cpu_seconds();
        const auto parsed = stillboot::parse_grub(source, path, {});
        times.push_back(cpu_seconds() - start);
        out.bytes = bytes_peak - before;
        out.options = parsed.options.size();
    }
    out.seconds = median(std::move(times));
    return out;
}

}  // namespace

int main() {
    // What one run frees stays here for the next: otherwise the order of what is freed decides whether the kernel
    // takes the pages back, and that costs a tenth of the time.
    ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
    std::printf("GRUB evaluator, %d entries, median of %d runs\n", entries, rounds);
    std::printf("%-10s %10s %12s %14s %12s %20s\n", "entries", "file", "CPU time", "entries/s", "bytes/entry",
                "grub-script-check/s");
    for (const bool ubuntu : {false, true}) {
        const Measured measured = measure(ubuntu);
        if (measured.options != entries) {
            std::fprintf(stderr, "only %zu of %d entries were listed\n", measured.options, entries);
            return 1;
        }
        const double parsing = script_check_seconds(ubuntu);
        std::printf("%-10s %7zu kB %9.2f ms %14.0f %12zu %20.0f\n", ubuntu ? "ubuntu" : "minimal",
                    stillboot::test::grub_configuration(entries, ubuntu).size() / 1000, measured.seconds * 1000,
                    entries / measured.seconds, measured.bytes / entries, parsing > 0 ? entries / parsing : 0);
    }
    return 0;
}
