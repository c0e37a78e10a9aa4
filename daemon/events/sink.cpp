// SPDX-License-Identifier: Apache-2.0
// Files and datagrams.
#include "daemon/events/sink.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "config/base/root.hpp"
#include "daemon/loop/log_line.hpp"

namespace stillboot::events {
namespace {

constexpr int facility = 3 << 3;  // daemon

std::string priority(const Line& line) {
    const LogLevel level = is_trouble(line.kind) ? LogLevel::warning : LogLevel::info;
    return "<" + std::to_string(facility | syslog_level(level)) + ">";
}

// RFC 5424 names are printable ASCII without spaces, 255 at most.
std::string header_name(const std::string& text) {
    std::string name = text.substr(0, 255);
    std::replace_if(name.begin(), name.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7f; }, '-');
    return name.empty() ? "-" : name;
}

struct Address {
    sockaddr_storage bytes = {};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* get() const {
        return static_cast<const sockaddr*>(static_cast<const void*>(&bytes));
    }
};

template <class T>
Address address_of(const T& specific) {
    Address address;
    std::memcpy(&address.bytes, &specific, sizeof specific);
    address.size = sizeof specific;
    return address;
}

Address unix_address(const std::string& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address_of(address);
}

Address udp_address(const EventSinkName& to) {
    const auto port = htons(static_cast<std::uint16_t>(std::stoul(to.port)));
    if (to.is_ipv6) {
        sockaddr_in6 address = {};
        address.sin6_family = AF_INET6;
        address.sin6_port = port;
        ::inet_pton(AF_INET6, to.address.c_str(), &address.sin6_addr);
        return address_of(address);
    }
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = port;
    ::inet_pton(AF_INET, to.address.c_str(), &address.sin_addr);
    return address_of(address);
}

}  // namespace

std::string local_datagram(const Line& line, std::time_t now, pid_t pid) {
    std::tm clock = {};
    ::localtime_r(&now, &clock);
    // Not of the locale: the format knows English months alone.
    constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::array<char, 64> stamp;
    std::snprintf(stamp.data(), stamp.size(), "%s %2d %02d:%02d:%02d",
                  months[static_cast<std::size_t>(clock.tm_mon)], clock.tm_mday, clock.tm_hour, clock.tm_min,
                  clock.tm_sec);
    return priority(line) + stamp.data() + " stillbootd[" + std::to_string(pid) + "]: " + line.text;
}

std::string rfc5424_datagram(const Line& line, pid_t pid) {
    return priority(line) + "1 " + line.time + " " + header_name(line.machine) + " stillbootd " +
           std::to_string(pid) + " " + std::string(to_word(line.kind)) + " - " + line.text;
}

Result<void> FileSink::send(const Line& line) {
    const UniqueFd file(
        ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600));
    if (!file) {
        return Error::from_errno(errno, "base.open_failed", {{"path", path_}});
    }
    // Not for ever for a reader of a FIFO, but a slow line is waited for.
    ::fcntl(file.get(), F_SETFL, O_APPEND);
    return write_all(file.get(), line.text + "\n", path_);
}

void FileSink::sync() {
    const UniqueFd file(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (file) {
        ::fdatasync(file.get());
    }
}

Result<void> SyslogSink::send(const Line& line) {
    const bool local = to_.kind == EventSinkName::Kind::syslog_socket;
    const Address address = local ? unix_address(socket_) : udp_address(to_);
    const UniqueFd socket(::socket(address.get()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const std::string datagram =
        local ? local_datagram(line, ::time(nullptr), ::getpid()) : rfc5424_datagram(line, ::getpid());
    const ssize_t sent = ::sendto(socket.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                  address.get(), address.size);
    if (sent < 0) {
        return Error::from_errno(errno, "daemon.events_not_sent",
                                 {{"to", local ? socket_ : to_.address + ":" + to_.port}});
    }
    return {};
}

std::unique_ptr<Sink> open_sink(const EventSinkName& name) {
    switch (name.kind) {
        case EventSinkName::Kind::file: return std::make_unique<FileSink>(name.path);
        case EventSinkName::Kind::program: return std::make_unique<ProgramSink>(name.path);
        case EventSinkName::Kind::syslog_socket:
        case EventSinkName::Kind::syslog_udp: break;
    }
    return std::make_unique<SyslogSink>(name);
}

}  // namespace stillboot::events
