// SPDX-License-Identifier: Apache-2.0
// The command line of stillbootd.
#pragma once

#include <string>
#include <variant>

#include "daemon/loop/log.hpp"

namespace stillboot {

struct Options {
    std::string root = "/";  ///< settings, /proc and /sys are read below it
    std::string socket = "/run/stillboot/io.stillboot";
    Log::Sink log = Log::Sink::stderr_stream;
    LogFormat log_format = LogFormat::text;
    bool autoboot = true;  ///< false: there is no countdown, whatever the settings say
};

/// What was asked for, or an exit status: 0 after --help and --version, 2 after a mistake. Prints what it has to
/// say to stdout and stderr.
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace stillboot
