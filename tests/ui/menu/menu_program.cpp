// SPDX-License-Identifier: Apache-2.0
// The menu alone on a terminal, for tests: menu_program SOCKET [SHELL [console|locked]].
#include <string_view>

#include "ui/menu/menu.hpp"

int main(int argc, char** argv) {
    stillboot::menu::MenuSettings settings;
    settings.daemon = argc > 1 ? argv[1] : settings.daemon;
    settings.shell = argc > 2 ? argv[2] : settings.shell;
    settings.console = argc > 3;
    settings.begins_locked = argc > 3 && std::string_view(argv[3]) == "locked";
    return stillboot::menu::run_menu(settings);
}
