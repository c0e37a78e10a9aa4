// SPDX-License-Identifier: Apache-2.0
// Options by getopt_long: a table this short needs no library in flash.
#include "daemon/main/options.hpp"

#include <getopt.h>

#include <cstdio>

namespace stillboot {
namespace {

constexpr char usage[] =
    "Usage: stillbootd [OPTION]...\n"
    "Find what can be booted, and boot it.\n"
    "\n"
    "  --socket=PATH  listen on this socket (/run/stillboot/io.stillboot)\n"
    "  --root=DIR     read settings, /proc and /sys below this directory (/)\n"
    "  --log=WHERE[:FORMAT]\n"
    "                 stderr, kmsg (the kernel's log) or none; as text or json (stderr:text)\n"
    "  --no-autoboot  start nothing by itself, whatever the settings say\n"
    "  --help         print this and exit\n"
    "  --version      print the version and exit\n";

bool set_log(Options& options, const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string where = text.substr(0, colon);
    const std::string format = colon == text.npos ? "text" : text.substr(colon + 1);
    options.log_format = format == "json" ? LogFormat::json : LogFormat::text;
    if (format != "text" && format != "json") {
        std::fprintf(stderr, "stillbootd: --log writes text or json, not '%s'\n", format.c_str());
        return false;
    }
    if (where == "stderr") {
        options.log = Log::Sink::stderr_stream;
    } else if (where == "kmsg") {
        options.log = Log::Sink::kmsg;
    } else if (where == "none") {
        options.log = Log::Sink::none;
    } else {
        std::fprintf(stderr, "stillbootd: --log takes stderr, kmsg or none, not '%s'\n", where.c_str());
        return false;
    }
    return true;
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
    enum { socket_option = 1000, root_option, log_option, no_autoboot_option, help_option, version_option };
    static const struct option table[] = {
        {"socket", required_argument, nullptr, socket_option},
        {"root", required_argument, nullptr, root_option},
        {"log", required_argument, nullptr, log_option},
        {"no-autoboot", no_argument, nullptr, no_autoboot_option},
        {"help", no_argument, nullptr, help_option},
        {"version", no_argument, nullptr, version_option},
        {nullptr, 0, nullptr, 0},
    };
    Options options;
    optind = 1;
    for (int found = 0; (found = ::getopt_long(argc, argv, "", table, nullptr)) != -1;) {
        switch (found) {
            case socket_option: options.socket = optarg; break;
            case root_option: options.root = optarg; break;
            case log_option:
                if (!set_log(options, optarg)) {
                    return 2;
                }
                break;
            case no_autoboot_option: options.autoboot = false; break;
            case help_option: std::fputs(usage, stdout); return 0;
            case version_option: std::puts("stillbootd " STILLBOOT_VERSION); return 0;
            default: std::fputs("stillbootd: see stillbootd --help\n", stderr); return 2;
        }
    }
    if (optind < argc) {
        std::fprintf(stderr, "stillbootd: there is no argument '%s'; see stillbootd --help\n", argv[optind]);
        return 2;
    }
    return options;
}

}  // namespace stillboot
