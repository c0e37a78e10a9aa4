// SPDX-License-Identifier: Apache-2.0
// The arguments of the kexec program, and what its end means.
#include "kexec/program_loader.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace stillboot::kexec {
namespace {

// A load hashes every byte: 45 MB take 2 s under emulation, and initrds may be far larger.
constexpr std::chrono::minutes program_deadline{10};

// Our own descriptors as paths that a child can open: they are close-on-exec.
std::string child_path(int fd) {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
}

// The program names the cause first; segment tables or its whole usage come after that.
std::string first_lines(const std::string& output) {
    constexpr unsigned enough = 3;
    std::string said;
    std::size_t begin = 0;
    for (unsigned lines = 0; lines < enough && begin < output.size();) {
        const std::size_t end = std::min(output.find('\n', begin), output.size());
        const std::string line = output.substr(begin, end - begin);
        if (line.find_first_not_of(" \t\r") != line.npos) {
            said += (said.empty() ? "" : "; ") + line;
            ++lines;
        }
        begin = end + 1;
    }
    return said;
}

Error missing(const LoadOrder& order, int reason) {
    if (order.devicetree >= 0) {
        return Error("kexec.devicetree_program_missing");
    }
    return Error::from_errno(reason, "kexec.program_missing", {{"format", to_word(order.format)}});
}

}  // namespace

std::vector<std::string> program_arguments(const LoadOrder& order, Architecture host) {
    std::vector<std::string> arguments = {"kexec", "--kexec-syscall", "--load", child_path(order.kernel),
                                          "--command-line=" + order.command_line};
    // Without it an ELF file is not taken for Linux: it is refused an initrd, and started without a command line.
    if (host == Architecture::x86 && order.format == Format::elf) {
        arguments.push_back("--args-linux");
    }
    if (order.initrd >= 0) {
        arguments.push_back("--initrd=" + child_path(order.initrd));
    }
    if (order.devicetree >= 0) {
        arguments.push_back("--dtb=" + child_path(order.devicetree));
    }
    return arguments;
}

Result<void> load_by_program(const LoadOrder& order, int reason, ProcessRunner& runner, Architecture host) {
    Command command;
    command.argv = program_arguments(order, host);
    command.deadline = program_deadline;
    const auto outcome = runner.run(command);
    if (!outcome) {
        const bool absent =
            outcome.error().code() == "base.spawn_failed" && outcome.error().error_number() == ENOENT;
        return absent ? missing(order, reason) : outcome.error();
    }
    if (outcome->signal != 0) {
        const char* const name = ::sigabbrev_np(outcome->signal);
        return Error("kexec.program_killed",
                     {{"signal", name == nullptr ? std::to_string(outcome->signal) : "SIG" + std::string(name)}});
    }
    if (!outcome->ok()) {
        return Error("kexec.program_failed",
                     {{"status", outcome->exit_status}, {"output", first_lines(outcome->output)}});
    }
    return {};
}

Result<void> check_devicetree(const Root& root, Architecture host) {
    if (host == Architecture::x86) {
        return Error("kexec.devicetree_not_on_x86");
    }
    const std::string lockdown = read_load_restrictions(root).lockdown;
    return lockdown == "none" ? Result<void>()
                              : Result<void>(Error("kexec.devicetree_locked_down", {{"lockdown", lockdown}}));
}

}  // namespace stillboot::kexec
