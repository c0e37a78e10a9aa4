// SPDX-License-Identifier: Apache-2.0
// The program `stillboot`.
#include <langinfo.h>

#include <clocale>
#include <iostream>
#include <string_view>

#include "ui/cli/program.hpp"

int main(int argc, char** argv) {
    std::setlocale(LC_CTYPE, "");
    stillboot::cli::Context context(std::cout, std::cerr);
    const bool utf8 = std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
    context.charset = utf8 ? stillboot::menu::Charset::utf8 : stillboot::menu::Charset::ascii;
    return static_cast<int>(stillboot::cli::run_program({argv + 1, argv + argc}, context));
}
