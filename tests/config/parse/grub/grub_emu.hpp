// SPDX-License-Identifier: Apache-2.0
// GRUB's own script engine as an oracle: grub-emu on a configuration, and what it printed.
#pragma once

#include <string>

#include "config/base/process.hpp"
#include "tests/temporary_tree.hpp"

namespace stillboot::test {

inline bool have_grub_emu() {
    SystemProcessRunner runner;
    Command command;
    command.argv = {"sh", "-c", "command -v grub-emu"};
    const auto outcome = runner.run(command);
    return outcome && outcome->ok();
}

/// Terminal sequences, carriage returns, GRUB's greeting and its error lines taken out.
inline std::string clean_emu_output(const std::string& raw) {
    std::string text;
    for (std::size_t at = 0; at < raw.size(); ++at) {
        if (raw[at] == '\x1b' && at + 1 < raw.size() && raw[at + 1] == '[') {
            at += 2;
            while (at < raw.size() && (raw[at] < '@' || raw[at] > '~')) {
                ++at;
            }
        } else if (raw[at] != '\r') {
            text += raw[at];
        }
    }
    const std::string greeting = "Welcome to GRUB!\n\n";
    const std::size_t start = text.find(greeting);
    text = start == std::string::npos ? text : text.substr(start + greeting.size());
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (text.compare(at, 6, "error:") != 0) {
            out.append(text, at, end - at).append(1, '\n');
        }
        at = end + 1;
    }
    return out;
}

/// What a configuration that ends with `halt` prints. Lines of 80 columns and more come back folded.
inline std::string run_grub_emu(const std::string& configuration) {
    const TemporaryTree tree;
    tree.file("grub.cfg", configuration);
    SystemProcessRunner runner;
    Command command;
    command.argv = {"grub-emu", "-d", tree.path().string(), "-r", "host"};
    command.deadline = std::chrono::seconds(20);
    const auto outcome = runner.run(command);
    return outcome ? clean_emu_output(outcome->output) : "did not end: " + outcome.error().sentence();
}

}  // namespace stillboot::test
