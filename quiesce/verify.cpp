// SPDX-License-Identifier: Apache-2.0
// Verdicts from config space, and the stopping of what no driver answers for.
#include "quiesce/verify.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <set>

#include "quiesce/pci_config.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::size_t config_bytes = 4096;
constexpr int pending_tries = 10;
constexpr std::chrono::milliseconds pending_pause{100};
// enable counts up with each "1"; a driver that never disabled what it enabled leaves it above zero.
constexpr int max_disables = 8;

struct Endpoint {
    std::string path;
    std::string name;
    std::string driver;
    PciState state;
};

PciState read_state(const Root& root, const std::string& path) {
    const auto bytes = root.read_file(path + "/config", config_bytes);
    return parse_pci_config(bytes ? *bytes : std::string());
}

bool is_plain_bridge(const Root& root, const std::string& path) {
    PciFunction function;
    function.class_code =
        static_cast<std::uint32_t>(parse_number(attribute_or_empty(root, path + "/class"), 16)) & 0xffffff;
    return function.is_bridge();
}

Result<std::vector<Endpoint>> read_endpoints(const Root& root) {
    std::vector<Endpoint> endpoints;
    if (!root.exists("/sys/bus/pci")) {
        return endpoints;
    }
    auto names = root.list("/sys/bus/pci/devices");
    if (!names) {
        return names.error();
    }
    for (const auto& name : *names) {
        const std::string path = follow_link(root, "/sys/bus/pci/devices/" + name);
        const PciState state = read_state(root, path);
        if (!is_plain_bridge(root, path) && (!state.answers || state.endpoint)) {
            endpoints.push_back({path, name, current_driver(root, path), state});
        }
    }
    return endpoints;
}

std::string what_is_enabled(const PciState& state) {
    std::string words;
    const auto add = [&](bool enabled, std::string_view word) {
        if (enabled) {
            words += (words.empty() ? "" : ", ") + std::string(word);
        }
    };
    add(state.bus_master, "bus mastering");
    add(state.msi, "MSI");
    add(state.msix, "MSI-X");
    add(state.pending, "transactions pending");
    return words;
}

Verdict judge(const Endpoint& endpoint, const Plan& plan, bool contained) {
    const auto with = [&](Rest rest, Message why) {
        return Verdict{endpoint.path, endpoint.name, endpoint.driver, rest, std::move(why)};
    };
    const Kept* const kept = plan.kept_at(endpoint.path);
    if (kept != nullptr && !kept->must_be_quiet) {
        return with(Rest::kept, kept->reason);
    }
    if (kept == nullptr && !endpoint.driver.empty()) {
        return with(Rest::moving, Message("quiesce.verdict_still_bound", {{"driver", endpoint.driver}}));
    }
    if (!endpoint.state.whole) {
        return with(Rest::moving, Message("quiesce.verdict_unreadable"));
    }
    if (kept != nullptr) {
        const bool quiet = endpoint.state.answers && endpoint.state.quiet() && !endpoint.state.damaged;
        return quiet ? with(Rest::kept, kept->reason)
                     : with(Rest::moving,
                            Message("quiesce.verdict_not_quiet",
                                    {{"driver", endpoint.driver}, {"enabled", what_is_enabled(endpoint.state)}}));
    }
    if (!endpoint.state.answers) {
        return with(Rest::contained, Message("quiesce.verdict_no_answer"));
    }
    if (!endpoint.state.quiet()) {
        return with(Rest::moving,
                    Message("quiesce.verdict_moving", {{"enabled", what_is_enabled(endpoint.state)}}));
    }
    if (endpoint.state.damaged) {
        return with(Rest::contained, Message("quiesce.verdict_damaged_capabilities"));
    }
    if (contained) {
        return with(Rest::contained, Message("quiesce.verdict_contained"));
    }
    return with(Rest::still, Message("quiesce.verdict_still"));
}

// `enable` takes a device of no driver alone, and no lockdown forbids it; the last disable clears the bit.
void stop_through_enable(const Ports& ports, const std::string& path) {
    const std::string file = path + "/enable";
    if (!ports.root.write_attribute(file, "1")) {
        return;
    }
    for (int i = 0; i < max_disables; ++i) {
        if (!ports.root.write_attribute(file, "0") || !read_state(ports.root, path).bus_master) {
            return;
        }
    }
}

void write_register16(int fd, std::size_t offset, std::uint16_t value) {
    const std::array<unsigned char, 2> bytes = {static_cast<unsigned char>(value & 0xff),
                                                static_cast<unsigned char>(value >> 8)};
    (void)!::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
}

// What `enable` could not clear, by hand. Lockdown refuses the write; the next look tells.
void stop_through_config(const Ports& ports, const std::string& path) {
    const auto bytes = ports.root.read_file(path + "/config", config_bytes);
    const auto fd = ports.root.open_file(path + "/config", O_RDWR);
    if (!bytes || !fd) {
        return;
    }
    const PciState state = parse_pci_config(*bytes);
    const auto clear = [&](bool enabled, std::size_t offset, std::uint16_t bits) {
        if (enabled) {
            write_register16(fd->get(), offset,
                             static_cast<std::uint16_t>(pci_register16(*bytes, offset) & ~bits));
        }
    };
    clear(state.msi, state.msi_control, 0x1);
    clear(state.msix, state.msix_control, 0x8000);
    clear(state.bus_master, pci_command_offset, pci_command_master);
}

bool wants_stopping(const Endpoint& endpoint, const Plan& plan) {
    const auto& state = endpoint.state;
    return endpoint.driver.empty() && plan.kept_at(endpoint.path) == nullptr && state.answers &&
           (state.bus_master || state.msi || state.msix);
}

std::set<std::string> stop_driverless(const Ports& ports, const std::vector<Endpoint>& endpoints,
                                      const Plan& plan) {
    std::set<std::string> stopped;
    for (const auto& endpoint : endpoints) {
        if (!wants_stopping(endpoint, plan)) {
            continue;
        }
        ports.journal.line(Message("quiesce.journal_stop", {{"device", endpoint.name}}));
        stopped.insert(endpoint.path);
        stop_function(ports, endpoint.path);
    }
    return stopped;
}

Result<Verification> judge_all(const Root& root, const Plan& plan, const std::set<std::string>& stopped) {
    auto endpoints = read_endpoints(root);
    if (!endpoints) {
        return endpoints.error();
    }
    Verification verification;
    verification.only_reports = plan.hands_off;
    for (const auto& endpoint : *endpoints) {
        verification.verdicts.push_back(judge(endpoint, plan, stopped.contains(endpoint.path)));
    }
    return verification;
}

bool something_pends(const Root& root, const std::vector<Endpoint>& endpoints) {
    return std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& endpoint) {
        return endpoint.driver.empty() && read_state(root, endpoint.path).pending;
    });
}

}  // namespace

std::string_view to_word(Rest rest) {
    switch (rest) {
        case Rest::still: return "still";
        case Rest::kept: return "kept";
        case Rest::contained: return "contained";
        case Rest::moving: return "moving";
    }
    return "";
}

std::size_t Verification::count(Rest rest) const {
    return static_cast<std::size_t>(
        std::count_if(verdicts.begin(), verdicts.end(), [&](const Verdict& v) { return v.rest == rest; }));
}

void stop_function(const Ports& ports, const std::string& path) {
    if (read_state(ports.root, path).bus_master) {
        stop_through_enable(ports, path);
    }
    const PciState after = read_state(ports.root, path);
    if (after.answers && (after.bus_master || after.msi || after.msix)) {
        stop_through_config(ports, path);
    }
}

Result<Verification> look(const Root& root, const Plan& plan) {
    return judge_all(root, plan, {});
}

Result<Verification> verify(const Ports& ports, const Plan& plan) {
    if (plan.hands_off) {
        return look(ports.root, plan);
    }
    auto endpoints = read_endpoints(ports.root);
    if (!endpoints) {
        return endpoints.error();
    }
    const auto stopped = stop_driverless(ports, *endpoints, plan);
    for (int i = 0; i < pending_tries && something_pends(ports.root, *endpoints); ++i) {
        ports.pause.wait(pending_pause);
    }
    return judge_all(ports.root, plan, stopped);
}

}  // namespace stillboot::quiesce
