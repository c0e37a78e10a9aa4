// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a connection, and the role that this gives.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/message.hpp"
#include "daemon/protocol/role.hpp"

namespace stillboot::server {

/// Who called: a process of this machine (SO_PEERCRED), or a client with a certificate.
struct Peer {
    Peer() = default;
    Peer(uid_t user, pid_t process) : Peer(user, process, protocol::Role::look) {}
    /// Root has every role, whatever was granted.
    Peer(uid_t user, pid_t process, protocol::Role granted)
        : uid(user), pid(process), role(user == 0 ? protocol::Role::all : granted) {}
    Peer(std::string certificate, std::string from, protocol::Role granted)
        : name(std::move(certificate)), address(std::move(from)), role(granted) {}
    /// What it may do now: look alone while it is locked.
    [[nodiscard]] protocol::Role allowed() const { return locked ? protocol::Role::look : role; }
    [[nodiscard]] bool is_root() const { return uid == 0; }
    /// A process of this machine, with a uid and pid.
    [[nodiscard]] bool is_local() const { return address.empty(); }
    /// For the log: daemon.peer_user, daemon.peer_certificate.
    [[nodiscard]] Message who() const;
    /// What all connections of the same caller have in common.
    [[nodiscard]] std::string key() const;
    /// Where it sits: its terminal, where it has one.
    [[nodiscard]] std::string seat() const;

    uid_t uid = static_cast<uid_t>(-1);
    pid_t pid = -1;
    std::string name;     ///< of the certificate; empty for a process of this machine
    std::string address;  ///< with its port
    protocol::Role role = protocol::Role::look;
    int terminal = 0;     ///< the device number of root's controlling terminal; 0: none
    bool locked = false;  ///< of this connection alone: whoever types there has not given the password yet
};

/// The highest role that these groups give by the text of a group(5) file: members of the group "stillboot-boot"
/// have the role boot, and so on. A group that the file does not have gives nothing.
[[nodiscard]] protocol::Role role_of_groups(std::string_view group_file, const std::vector<gid_t>& groups);

/// The device number of a process's controlling terminal (proc(5): tty_nr); 0 where it has none.
[[nodiscard]] int terminal_of(pid_t process);

/// The groups of the process at the other end of a Unix socket, as they were when it connected: no look-up of
/// users, which may ask a network. Empty where the kernel does not tell.
[[nodiscard]] std::vector<gid_t> groups_of_peer(int socket);

}  // namespace stillboot::server
