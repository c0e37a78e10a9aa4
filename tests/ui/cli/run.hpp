// SPDX-License-Identifier: Apache-2.0
// Running the program inside a test.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "ui/cli/program.hpp"

namespace stillboot::test {

struct Ran {
    cli::ExitCode code = cli::ExitCode::done;
    std::string out;
    std::string err;
};

inline Ran run_stillboot(std::vector<std::string> arguments) {
    std::ostringstream out;
    std::ostringstream err;
    cli::Context context(out, err);
    context.charset = menu::Charset::ascii;
    Ran ran;
    ran.code = cli::run_program(std::move(arguments), context);
    ran.out = out.str();
    ran.err = err.str();
    return ran;
}

}  // namespace stillboot::test
