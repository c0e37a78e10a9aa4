// SPDX-License-Identifier: Apache-2.0
// When the kexec program is asked, with which arguments, and what each of its ends means.
#include "kexec/program_loader.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::kexec;
using stillboot::test::TemporaryTree;

namespace {

class ScriptedRunner final : public ProcessRunner {
public:
    explicit ScriptedRunner(Result<ProcessOutcome> outcome) : outcome_(std::move(outcome)) {}
    std::vector<Command> commands;

    Result<ProcessOutcome> run(const Command& command) override {
        commands.push_back(command);
        return outcome_;
    }

private:
    Result<ProcessOutcome> outcome_;
};

ProcessOutcome ended(int status, std::string output = "") {
    ProcessOutcome outcome;
    outcome.exit_status = status;
    outcome.output = std::move(output);
    return outcome;
}

LoadOrder elf_order() {
    LoadOrder order;
    order.kernel = 5;
    order.initrd = 6;
    order.command_line = "root=/dev/vda1 quiet";
    order.format = Format::elf;
    return order;
}

std::string path_of(int fd) {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
}

// The sentence for a program that ends so, after kexec_file_load has answered ENOEXEC to an ELF kernel.
std::string said_after(Result<ProcessOutcome> outcome) {
    ScriptedRunner runner(std::move(outcome));
    const auto loaded = load_by_program(elf_order(), ENOEXEC, runner, Architecture::x86);
    return loaded ? "loaded" : loaded.error().sentence();
}

// A machine with nothing against a load, whose kernel answers one errno to kexec_file_load.
template <int error_number>
class Machine {
public:
    explicit Machine(Result<ProcessOutcome> outcome = ended(0)) : runner(std::move(outcome)) {
        tree.file("sys/kernel/kexec_loaded", "1\n");
    }
    std::string load(const LoadOrder& order = elf_order()) {
        const Root root = tree.root();
        SystemLoader loader(root, runner, [](const LoadOrder&) { return error_number; });
        const auto by = loader.load(order);
        if (!by) {
            return by.error().sentence();
        }
        return *by == LoadedBy::kernel ? "by the kernel" : "by the program";
    }
    TemporaryTree tree;
    ScriptedRunner runner;
};

}  // namespace

TEST_SUITE("kexec") {
    TEST_CASE("the kexec program is given the files by their descriptors and the command line as it is") {
        CHECK(program_arguments(elf_order(), Architecture::ppc) ==
              std::vector<std::string>{"kexec", "--kexec-syscall", "--load", path_of(5),
                                       "--command-line=root=/dev/vda1 quiet", "--initrd=" + path_of(6)});
    }

    TEST_CASE("on x86 it is told that an ELF kernel is Linux, and is not told so of a bzImage") {
        LoadOrder order = elf_order();
        const auto of_elf = program_arguments(order, Architecture::x86);
        CHECK(std::count(of_elf.begin(), of_elf.end(), "--args-linux") == 1);
        order.format = Format::bzimage;
        const auto of_bzimage = program_arguments(order, Architecture::x86);
        CHECK(std::count(of_bzimage.begin(), of_bzimage.end(), "--args-linux") == 0);
    }

    TEST_CASE("a trial gives the program the initrd too, and a devicetree is named with --dtb") {
        LoadOrder order = elf_order();
        order.trial = true;
        order.devicetree = 7;
        const auto arguments = program_arguments(order, Architecture::ppc);
        CHECK(arguments.at(5) == "--initrd=" + path_of(6));
        CHECK(arguments.at(6) == "--dtb=" + path_of(7));
    }

    TEST_CASE("each end of the kexec program is told in plain words") {
        CHECK(said_after(ended(0, "Warning: something\n")) == "loaded");
        CHECK(said_after(ended(255,
                               "\nkexec_load failed: Cannot assign requested address\nentry       = 0x1760 flags "
                               "= 0x3e0000\n nr_segments = 8\nsegment[0].buf   = 0x55be1369b380\n")) ==
              "the kexec program failed (255): kexec_load failed: Cannot assign requested address; entry       = "
              "0x1760 flags = 0x3e0000;  nr_segments = 8");
        CHECK(said_after(ended(1)) == "the kexec program failed (1): ");
        ProcessOutcome killed = ended(-1);
        killed.signal = SIGKILL;
        CHECK(said_after(killed) == "the kexec program was ended by SIGKILL before it had loaded the kernel");
        CHECK(said_after(Error("base.child_timed_out", {{"program", "kexec"}, {"seconds", std::int64_t{600}}})) ==
              "kexec did not finish within 600 s and was ended");
        CHECK(said_after(Error::from_errno(EACCES, "base.spawn_failed", {{"program", "kexec"}})) ==
              "kexec cannot be started: EACCES (Permission denied)");
    }

    TEST_CASE("a kexec program that is not there is named with what to do about it") {
        const Error absent = Error::from_errno(ENOENT, "base.spawn_failed", {{"program", "kexec"}});
        CHECK(said_after(absent) ==
              "the running kernel cannot load this ELF kernel by itself (ENOEXEC (Exec format error)), and the "
              "kexec "
              "program, which might, is not on this system: install kexec-tools, or choose a kernel in another "
              "format");
        ScriptedRunner runner(absent);
        LoadOrder order = elf_order();
        order.devicetree = 7;
        CHECK(load_by_program(order, ENOTSUP, runner, Architecture::ppc).error().sentence() ==
              "the option brings a devicetree, which only the kexec program can pass on, and it is not on this "
              "system: install kexec-tools, or take the devicetree out of the entry");
    }

    TEST_CASE("the kexec program has ten minutes") {
        ScriptedRunner runner(ended(0));
        (void)load_by_program(elf_order(), ENOEXEC, runner, Architecture::x86);
        CHECK(runner.commands.at(0).deadline == std::chrono::minutes(10));
    }

    TEST_CASE("what the kernel loads itself is not given to the program") {
        Machine<0> machine;
        CHECK(machine.load() == "by the kernel");
        CHECK(machine.runner.commands.empty());
    }

    TEST_CASE("a format that the kernel does not know is given to the program") {
        Machine<ENOEXEC> machine;
        CHECK(machine.load() == "by the program");
        CHECK(machine.runner.commands.size() == 1);
    }

    TEST_CASE("an option with a devicetree is given to the program at once") {
        Machine<0> machine;
        LoadOrder order = elf_order();
        order.devicetree = 7;
        CHECK(machine.load(order) == "by the program");
        CHECK(machine.runner.commands.at(0).argv.back() == "--dtb=" + path_of(7));
    }

    TEST_CASE("a refusal on purpose is not passed on to the program") {
        Machine<EKEYREJECTED> machine;
        CHECK(machine.load() ==
              "the signature of this kernel is not one that the running kernel trusts: EKEYREJECTED (Key was "
              "rejected by service)");
        CHECK(machine.runner.commands.empty());
    }

    TEST_CASE("a machine that forbids kexec_load is not asked by the program either") {
        Machine<ENOEXEC> locked;
        locked.tree.file("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        CHECK(locked.load() ==
              "the running kernel cannot load this ELF kernel by itself (ENOEXEC (Exec format error)), and being "
              "locked down (integrity) it forbids kexec_load, the call that might: choose a kernel in another "
              "format");
        CHECK(locked.runner.commands.empty());
        Machine<0> disabled;
        disabled.tree.file("proc/sys/kernel/kexec_load_disabled", "1\n");
        LoadOrder order = elf_order();
        order.devicetree = 7;
        CHECK(disabled.load(order) ==
              "loading kernels is switched off until the next restart (kernel.kexec_load_disabled is 1): EPERM "
              "(Operation "
              "not permitted)");
        CHECK(disabled.runner.commands.empty());
    }

    TEST_CASE("a program that says it loaded, where the kernel says that nothing is, is not believed") {
        Machine<ENOEXEC> machine;
        machine.tree.file("sys/kernel/kexec_loaded", "0\n");
        CHECK(machine.load() == "the kernel accepted the load but reports nothing loaded");
    }

    TEST_CASE("a devicetree is refused where nothing can pass it on") {
        const TemporaryTree tree;
        CHECK(check_devicetree(tree.root(), Architecture::ppc).has_value());
        CHECK(check_devicetree(tree.root(), Architecture::x86).error().sentence() ==
              "the option brings a devicetree, and kexec cannot pass one on to an x86 kernel: take it out of the "
              "entry to boot it");
        tree.file("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        CHECK(check_devicetree(tree.root(), Architecture::ppc).error().sentence() ==
              "the option brings a devicetree, which only kexec_load takes, and a kernel in lockdown (integrity) "
              "forbids that call");
    }
}
