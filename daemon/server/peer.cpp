// SPDX-License-Identifier: Apache-2.0
// Peers by the kernel's word, and roles by groups.
#include "daemon/server/peer.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>

#include "config/base/process_stat.hpp"

namespace stillboot::server {
namespace {

using protocol::Role;

constexpr std::string_view group_prefix = "stillboot-";
constexpr std::size_t usual_groups = 32;

// Cuts the text up to a separator off the rest.
std::string_view take(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

// group(5): name:password:GID:members
std::optional<gid_t> gid_of(std::string_view rest) {
    take(rest, ':');
    const std::string_view digits = take(rest, ':');
    gid_t gid = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), gid);
    const bool whole = failure == std::errc() && end == digits.data() + digits.size() && !digits.empty();
    return whole ? std::optional(gid) : std::nullopt;
}

}  // namespace

Message Peer::who() const {
    if (!is_local()) {
        return Message("daemon.peer_certificate", {{"name", name}, {"address", address}});
    }
    return Message("daemon.peer_user", {{"uid", std::uint64_t{uid}}, {"pid", std::int64_t{pid}}});
}

std::string Peer::key() const {
    return is_local() ? "user " + std::to_string(uid) : "certificate " + name;
}

std::string Peer::seat() const {
    return terminal == 0 ? key() : key() + " at terminal " + std::to_string(terminal);
}

int terminal_of(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto stat = process_stat_of(line);
    return stat ? stat->terminal : 0;
}

Role role_of_groups(std::string_view group_file, const std::vector<gid_t>& groups) {
    Role best = Role::look;
    while (!group_file.empty()) {
        std::string_view line = take(group_file, '\n');
        const std::string_view name = take(line, ':');
        if (!name.starts_with(group_prefix)) {
            continue;
        }
        const auto role = protocol::role_of_word(name.substr(group_prefix.size()));
        const auto gid = gid_of(line);
        if (role && gid && std::find(groups.begin(), groups.end(), *gid) != groups.end()) {
            best = std::max(best, *role);
        }
    }
    return best;
}

std::vector<gid_t> groups_of_peer(int socket) {
    struct ucred credentials = {};
    socklen_t size = sizeof credentials;
    std::vector<gid_t> groups(usual_groups);
    auto bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    int status = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
    if (status != 0 && errno == ERANGE) {  // the kernel has said how many there are
        groups.resize(bytes / sizeof(gid_t));
        status = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
    }
    groups.resize(status == 0 ? bytes / sizeof(gid_t) : 0);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
        groups.push_back(credentials.gid);
    }
    return groups;
}

}  // namespace stillboot::server
