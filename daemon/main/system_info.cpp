// SPDX-License-Identifier: Apache-2.0
// Reading a machine's description.
#include "daemon/main/system_info.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <memory>

namespace stillboot {
namespace {

constexpr std::size_t max_beginning_bytes = std::size_t{64} * 1024;
constexpr std::size_t max_interfaces = 256;

// The device tree's texts end with a NUL, those of sysfs with a newline.
std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\0' || text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
    }
    text.erase(0, text.find_first_not_of(' '));
    return text;
}

std::string text_of(const Root& root, const std::string& path) {
    return trimmed(root.read_attribute(path).value_or(""));
}

// The beginning of a file that grows with the machine.
std::string beginning_of(const Root& root, const std::string& path) {
    const auto file = root.open_file(path, O_RDONLY);
    std::string text(max_beginning_bytes, '\0');
    const ssize_t count = file ? ::read(file->get(), text.data(), text.size()) : 0;
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
}

std::string joined(std::initializer_list<std::string> parts) {
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() || part.empty() ? "" : " ") + part;
    }
    return text;
}

std::string model_of(const Root& root) {
    const std::string dmi = "/sys/class/dmi/id/";
    const std::string model = joined({text_of(root, dmi + "sys_vendor"), text_of(root, dmi + "product_name")});
    return model.empty() ? text_of(root, "/proc/device-tree/model") : model;
}

std::string firmware_of(const Root& root) {
    const std::string dmi = "/sys/class/dmi/id/";
    const std::string version = joined({text_of(root, dmi + "bios_vendor"), text_of(root, dmi + "bios_version")});
    if (root.exists("/sys/firmware/opal")) {
        return "OPAL";
    }
    if (root.exists("/sys/firmware/efi")) {
        return joined({version, "(EFI)"});
    }
    return version.empty() ? "" : version + " (BIOS)";
}

// The value of the first line with one of these names: "model name\t: AMD EPYC", "MemTotal:  1024 kB".
std::string value_of_line(const std::string& text, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
            const std::size_t after = text.find_first_not_of(" \t", at + name.size());
            if ((at == 0 || text[at - 1] == '\n') && after != text.npos && text[after] == ':') {
                return trimmed(text.substr(after + 1, text.find('\n', after) - after - 1));
            }
        }
    }
    return {};
}

// "0-3,8" is five.
std::uint64_t count_of_list(std::string_view list) {
    std::uint64_t count = 0;
    while (!list.empty()) {
        const std::string_view part = list.substr(0, list.find(','));
        list.remove_prefix(std::min(part.size() + 1, list.size()));
        const char* const end = part.data() + part.size();
        std::uint64_t first = 0;
        const auto begin = std::from_chars(part.data(), end, first);
        std::uint64_t last = first;
        if (begin.ptr != end && *begin.ptr == '-') {
            std::from_chars(begin.ptr + 1, end, last);
        }
        count += begin.ec == std::errc() && last >= first ? last - first + 1 : 0;
    }
    return count;
}

std::optional<std::uint64_t> number_of(const std::string& text) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}

protocol::Interface interface_of(const Root& root, const std::string& name) {
    const std::string path = "/sys/class/net/" + name + "/";
    protocol::Interface interface;
    interface.name = name;
    interface.mac = text_of(root, path + "address");
    interface.link = text_of(root, path + "carrier") == "1";  // cannot be read of one that is down
    if (interface.link) {
        interface.megabits = number_of(text_of(root, path + "speed"));
    }
    return interface;
}

std::vector<protocol::Interface> interfaces_of(const Root& root, const Addresses& addresses) {
    constexpr std::string_view loopback = "772";  // ARPHRD_LOOPBACK of linux/if_arp.h
    std::vector<protocol::Interface> interfaces;
    for (const std::string& name : root.list("/sys/class/net").value_or(std::vector<std::string>())) {
        if (interfaces.size() == max_interfaces || text_of(root, "/sys/class/net/" + name + "/type") == loopback) {
            continue;
        }
        interfaces.push_back(interface_of(root, name));
        if (const auto found = addresses.find(name); found != addresses.end()) {
            interfaces.back().addresses = found->second;
        }
    }
    std::sort(interfaces.begin(), interfaces.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return interfaces;
}

template <class Address>
std::string address_words(int family, const Address& address, const Address& mask) {
    std::array<char, INET6_ADDRSTRLEN> text = {};
    ::inet_ntop(family, &address, text.data(), text.size());
    std::array<unsigned char, sizeof mask> bytes;
    std::memcpy(bytes.data(), &mask, sizeof mask);
    int length = 0;
    for (const unsigned char byte : bytes) {
        length += std::popcount(byte);
    }
    return std::string(text.data()) + "/" + std::to_string(length);
}

// Copied, for what is pointed to is but bytes.
template <class T>
T copy_of(const sockaddr* address) {
    T out;
    std::memcpy(&out, address, sizeof out);
    return out;
}

}  // namespace

Addresses addresses_of_interfaces() {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, ::freeifaddrs);
    Addresses addresses;
    for (const ifaddrs* each = all.get(); each != nullptr; each = each->ifa_next) {
        const int family =
            each->ifa_addr != nullptr && each->ifa_netmask != nullptr ? each->ifa_addr->sa_family : 0;
        if (family == AF_INET) {
            addresses[each->ifa_name].push_back(address_words(family,
                                                              copy_of<sockaddr_in>(each->ifa_addr).sin_addr,
                                                              copy_of<sockaddr_in>(each->ifa_netmask).sin_addr));
        } else if (family == AF_INET6) {
            addresses[each->ifa_name].push_back(address_words(family,
                                                              copy_of<sockaddr_in6>(each->ifa_addr).sin6_addr,
                                                              copy_of<sockaddr_in6>(each->ifa_netmask).sin6_addr));
        }
    }
    return addresses;
}

protocol::System read_system(const Root& root, const Addresses& addresses) {
    protocol::System system;
    system.model = model_of(root);
    system.firmware = firmware_of(root);
    system.kernel = text_of(root, "/proc/sys/kernel/osrelease");
    struct utsname names = {};
    if (::uname(&names) == 0) {
        system.architecture = names.machine;
    }
    system.processor = value_of_line(beginning_of(root, "/proc/cpuinfo"), {"model name", "cpu", "Model"});
    system.processors = count_of_list(text_of(root, "/sys/devices/system/cpu/online"));
    const auto kilobytes = number_of(value_of_line(beginning_of(root, "/proc/meminfo"), {"MemTotal"}));
    system.memory_bytes = kilobytes.value_or(0) * 1024;
    system.interfaces = interfaces_of(root, addresses);
    return system;
}

}  // namespace stillboot
