// SPDX-License-Identifier: Apache-2.0
// The menu on an Asio loop: keys and the daemon's events into the view model, its actions out.
#include "ui/menu/menu.hpp"

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>

#include "ui/menu/application.hpp"

namespace stillboot::menu {

int run_menu(const MenuSettings& settings) {
    // Signals before curses: it installs a handler of its own for SIGWINCH only where there is none.
    boost::asio::io_context context(1);
    boost::asio::signal_set signals(context, SIGWINCH, SIGTERM, SIGHUP);
    std::signal(SIGPIPE, SIG_IGN);
    auto terminal = Terminal::open(settings.console);
    if (!terminal) {
        std::fprintf(stderr, "stillboot: %s\n", terminal.error().sentence().c_str());
        return 1;
    }
    Application application(context, signals, *terminal, settings);
    application.start();
    context.run();
    return 0;
}

}  // namespace stillboot::menu
