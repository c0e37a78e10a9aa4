// SPDX-License-Identifier: Apache-2.0
// Finds what the user sits on, and whether the plan takes it away.
#include "quiesce/caller.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "config/base/process_stat.hpp"
#include "quiesce/mounts.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::size_t max_table_bytes = 4 * 1024 * 1024;
constexpr std::size_t max_ancestors = 64;

std::string file_or_empty(const Root& root, const std::string& path) {
    auto text = root.read_file(path, max_table_bytes);
    return text ? *std::move(text) : std::string();
}

// The value of a variable in /proc/PID/environ, or empty.
std::string variable_of(const Root& root, const std::string& pid, std::string_view name) {
    for (const auto& entry : split(file_or_empty(root, "/proc/" + pid + "/environ"), std::string_view("\0", 1))) {
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
            return entry.substr(name.size() + 1);
        }
    }
    return {};
}

// new_encode_dev() of the kernel: 8 low bits of the minor, 12 of the major, 12 more of the minor.
std::string device_number(std::uint64_t encoded) {
    const std::uint64_t major = (encoded >> 8) & 0xfff;
    const std::uint64_t minor = (encoded & 0xff) | ((encoded >> 12) & 0xfff00);
    return std::to_string(major) + ":" + std::to_string(minor);
}

// /dev/tty0 and /dev/console stand for another terminal: /sys/class/tty/console/active names it last.
std::string terminal_path(const Root& root, std::uint64_t encoded) {
    std::string path = follow_link(root, "/sys/dev/char/" + device_number(encoded));
    for (int hops = 0; hops < 2 && !path.empty(); ++hops) {
        const auto active = split(attribute_or_empty(root, path + "/active"), " \n");
        if (active.empty()) {
            break;
        }
        path = follow_link(root, "/sys/class/tty/" + active.back());
    }
    return path;
}

// tty1, and neither ttyS0 nor a pseudo terminal of old (ttyp0).
bool is_virtual_terminal(std::string_view name) {
    return name.starts_with("tty") && name.size() > 3 && name.find_first_not_of("0123456789", 3) == name.npos;
}

/// Compares what the user sits on with the steps of a plan.
class Losses {
public:
    Losses(const Root& root, const Plan& plan) : root_(root), plan_(plan) {}

    void ssh_through(std::string_view address, const std::vector<LocalAddress>& addresses) {
        for (const auto& interface : carriers_of(interface_of(address, addresses))) {
            if (const auto* step = step_taking(follow_link(root_, "/sys/class/net/" + interface))) {
                lose(Message("quiesce.cut_off_ssh",
                             {{"interface", interface}, {"device", step->name}, {"driver", step->driver}}));
            }
        }
    }

    void terminal_at(const std::string& path) {
        const std::string name(last_component(path));
        if (const auto* step = step_under_terminal(path, name)) {
            lose(Message("quiesce.cut_off_terminal",
                         {{"terminal", name}, {"device", step->name}, {"driver", step->driver}}));
        }
        if (is_virtual_terminal(name)) {
            if (const auto* step = step_taking_screen()) {
                lose(Message("quiesce.cut_off_screen",
                             {{"terminal", name}, {"device", step->name}, {"driver", step->driver}}));
            }
            if (const auto* step = step_taking_keyboards()) {
                lose(Message("quiesce.cut_off_keyboard",
                             {{"terminal", name}, {"device", step->name}, {"driver", step->driver}}));
            }
        }
    }

    std::vector<Message> found() && { return std::move(found_); }

private:
    void lose(Message message) {
        if (std::find(found_.begin(), found_.end(), message) == found_.end()) {
            found_.push_back(std::move(message));
        }
    }

    [[nodiscard]] const PlanStep* step_taking(std::string_view path) const {
        const auto found = std::find_if(plan_.steps.begin(), plan_.steps.end(), [&](const PlanStep& step) {
            return path == step.path || is_below(path, step.path);
        });
        return found == plan_.steps.end() ? nullptr : &*found;
    }

    // sshd writes an IPv6 address of a link with the link: "fe80::1%eth0".
    static std::string interface_of(std::string_view address, const std::vector<LocalAddress>& addresses) {
        if (const std::size_t percent = address.find('%'); percent != address.npos) {
            return std::string(address.substr(percent + 1));
        }
        const auto found = std::find_if(addresses.begin(), addresses.end(),
                                        [&](const LocalAddress& local) { return local.address == address; });
        return found == addresses.end() ? std::string() : found->interface;
    }

    // The interfaces with a device under one: itself, those of a bridge, bond or VLAN, or, under what has none (a
    // tunnel), that of the default route.
    [[nodiscard]] std::vector<std::string> carriers_of(const std::string& interface) const {
        std::vector<std::string> carriers;
        std::vector<std::string> open = {interface};
        std::set<std::string> seen;
        while (!open.empty()) {
            const std::string current = std::move(open.back());
            open.pop_back();
            if (current.empty() || !seen.insert(current).second) {
                continue;
            }
            const std::string path = follow_link(root_, "/sys/class/net/" + current);
            if (!path.empty() && !path.starts_with("/sys/devices/virtual/")) {
                carriers.push_back(current);
                continue;
            }
            const auto below = lower_interfaces(current);
            open.insert(open.end(), below.begin(), below.end());
        }
        const bool outside = interface != "lo" && carriers.empty();
        return outside ? default_route_interfaces() : carriers;
    }

    [[nodiscard]] std::vector<std::string> lower_interfaces(const std::string& interface) const {
        constexpr std::string_view prefix = "lower_";
        std::vector<std::string> below;
        const auto names = root_.list(follow_link(root_, "/sys/class/net/" + interface));
        for (const auto& name : names ? *names : std::vector<std::string>{}) {
            if (name.starts_with(prefix)) {
                below.push_back(name.substr(prefix.size()));
            }
        }
        return below;
    }

    // proc_net(5): "eth0 00000000 0102A8C0 ..."; IPv6: destination, its length, …, interface.
    [[nodiscard]] std::vector<std::string> default_route_interfaces() const {
        std::set<std::string> names;
        for (const auto& line : split(file_or_empty(root_, "/proc/net/route"), "\n")) {
            const auto fields = split(line, " \t");
            if (fields.size() > 2 && fields[1] == "00000000") {
                names.insert(fields[0]);
            }
        }
        for (const auto& line : split(file_or_empty(root_, "/proc/net/ipv6_route"), "\n")) {
            const auto fields = split(line, " \t");
            if (fields.size() == 10 && fields[0] == std::string(32, '0') && fields[1] == "00") {
                names.insert(fields[9]);
            }
        }
        names.erase("lo");
        return {names.begin(), names.end()};
    }

    // A hypervisor's console has no device of its own in sysfs.
    [[nodiscard]] const PlanStep* step_under_terminal(std::string_view path, std::string_view name) const {
        const auto* step = step_taking(path);
        if (step != nullptr || !name.starts_with("hvc")) {
            return step;
        }
        const auto found = std::find_if(plan_.steps.begin(), plan_.steps.end(),
                                        [](const PlanStep& s) { return s.driver == "virtio_console"; });
        return found == plan_.steps.end() ? nullptr : &*found;
    }

    [[nodiscard]] const PlanStep* step_taking_screen() const {
        const auto names = root_.list("/sys/class/graphics");
        for (const auto& name : names ? *names : std::vector<std::string>{}) {
            const auto* step =
                name == "fbcon" ? nullptr : step_taking(follow_link(root_, "/sys/class/graphics/" + name));
            if (step != nullptr) {
                return step;
            }
        }
        return nullptr;
    }

    // Null where one keyboard is left, and where there was none. /proc/bus/input/devices: "S: Sysfs=/devices/…"
    // and "H: Handlers=sysrq kbd leds event0" in each paragraph; sysrq is the handler of whole keyboards.
    [[nodiscard]] const PlanStep* step_taking_keyboards() const {
        const PlanStep* taken = nullptr;
        std::string path;
        for (const auto& line : split(file_or_empty(root_, "/proc/bus/input/devices"), "\n")) {
            if (line.starts_with("S: Sysfs=")) {
                path = "/sys" + line.substr(std::string_view("S: Sysfs=").size());
            } else if (line.starts_with("H: Handlers=") && line.find("sysrq") != line.npos) {
                const auto* step = step_taking(path);
                if (step == nullptr) {
                    return nullptr;
                }
                taken = step;
            }
        }
        return taken;
    }

    const Root& root_;
    const Plan& plan_;
    std::vector<Message> found_;
};

// What a container's manager says of itself, or empty.
std::string container_name(const Root& root) {
    for (const char* file : {"/run/systemd/container", "/run/host/container-manager"}) {
        if (auto name = attribute_or_empty(root, file); !name.empty()) {
            return name;
        }
    }
    if (root.exists("/run/.containerenv")) {
        return "podman";
    }
    return root.exists("/.dockerenv") ? "docker" : variable_of(root, "1", "container");
}

}  // namespace

std::vector<LocalAddress> local_addresses() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
    std::vector<LocalAddress> addresses;
    for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
        const int family = at->ifa_addr == nullptr ? AF_UNSPEC : at->ifa_addr->sa_family;
        std::array<char, INET6_ADDRSTRLEN> text = {};
        const void* bytes = nullptr;
        if (family == AF_INET) {
            bytes = &reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr;
        } else if (family == AF_INET6) {
            bytes = &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr;
        }
        if (bytes != nullptr && ::inet_ntop(family, bytes, text.data(), text.size()) != nullptr) {
            addresses.push_back({text.data(), at->ifa_name});
        }
    }
    return addresses;
}

Caller read_caller(const Root& root, const std::string& pid) {
    Caller caller;
    const auto add = [](std::vector<std::string>& list, const std::string& text) {
        if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) {
            list.push_back(text);
        }
    };
    std::string current = pid;
    for (std::size_t i = 0; i < max_ancestors && !current.empty() && current != "0"; ++i) {
        // "CLIENT PORT HERE PORT"
        const auto connection = split(variable_of(root, current, "SSH_CONNECTION"), " ");
        if (connection.size() == 4) {
            add(caller.ssh_addresses, connection[2]);
        }
        const auto stat = process_stat_of(file_or_empty(root, "/proc/" + current + "/stat"));
        if (stat && stat->terminal != 0) {
            add(caller.terminals, terminal_path(root, static_cast<std::uint32_t>(stat->terminal)));
        }
        current = stat ? std::to_string(stat->parent) : std::string();
    }
    return caller;
}

Result<void> may_unbind_here(const Root& root) {
    if (const std::string name = container_name(root); !name.empty()) {
        return Error("quiesce.in_container", {{"what", name}});
    }
    if (!root.exists("/sys/bus")) {
        return Error("quiesce.no_sysfs");
    }
    const auto mounts = read_own_mounts(root);
    if (!mounts) {
        return mounts.error();
    }
    bool read_only = false;
    for (const auto& mount : *mounts) {
        read_only = mount.where == "/sys" ? mount.read_only : read_only;  // the last one lies on top
    }
    return read_only ? Result<void>(Error("quiesce.sysfs_read_only")) : Result<void>();
}

Result<void> kernel_can_unbind(const Inventory& inventory) {
    const auto& devices = inventory.devices;
    const bool bound = std::any_of(devices.begin(), devices.end(), [](const auto& d) { return d.second.bound(); });
    const bool any =
        std::any_of(devices.begin(), devices.end(), [](const auto& d) { return d.second.can_unbind; });
    return bound && !any ? Result<void>(Error("quiesce.no_unbind_files")) : Result<void>();
}

std::vector<Message> cut_offs(const Root& root, const Plan& plan, const Caller& caller,
                              const std::vector<LocalAddress>& addresses) {
    Losses losses(root, plan);
    for (const auto& address : caller.ssh_addresses) {
        losses.ssh_through(address, addresses);
    }
    for (const auto& terminal : caller.terminals) {
        losses.terminal_at(terminal);
    }
    return std::move(losses).found();
}

}  // namespace stillboot::quiesce
