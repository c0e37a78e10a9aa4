// SPDX-License-Identifier: Apache-2.0
// The menu as a program: what `stillboot menu` runs.
#pragma once

#include <string>

#include "daemon/client/address.hpp"
#include "daemon/protocol/methods.hpp"

namespace stillboot::menu {

struct MenuSettings {
    client::Address daemon{std::string(protocol::default_socket)};
    std::string shell = "/bin/sh";  ///< what the key "shell" runs
    bool console = false;           ///< this terminal counts as a console of the machine, though it may be none
    bool begins_locked = false;     ///< a console is locked before the daemon says whether it is
};

/// Runs the menu on the terminal of standard input and output until it is left. Blocking. Writes to standard error
/// only where it cannot start. Returns the exit code: 0 left by a key or a signal, 1 no usable terminal.
int run_menu(const MenuSettings& settings);

}  // namespace stillboot::menu
