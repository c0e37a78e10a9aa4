// SPDX-License-Identifier: Apache-2.0
// stillboot-shutdown: run by systemd-shutdown once everything is unmounted as far as it can be.
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "config/parse/settings/settings.hpp"
#include "kexec/handover/quiescer.hpp"
#include "kexec/handover/system_restarter.hpp"
#include "kexec/hook/hook.hpp"
#include "kexec/hook/system.hpp"
#include "quiesce/load_policy.hpp"

namespace {

using namespace stillboot;

hook::HookSettings hook_settings(const Settings& settings) {
    hook::HookSettings out;
    out.on_moving = settings.hook_on_moving.value;
    out.on_hang = settings.hook_on_hang.value;
    out.budget = settings.hook_budget.value;
    return out;
}

void tell(quiesce::Journal& journal, const std::vector<Diagnostic>& diagnostics) {
    for (const Diagnostic& diagnostic : diagnostics) {
        journal.line(Message("hook.setting", {{"text", diagnostic.text()}}));
    }
}

int still_and_jump(std::string_view argument) {
    const auto root = Root::open("/");
    if (!root) {
        std::fprintf(stderr, "stillboot-shutdown: %s\n", root.error().sentence().c_str());
        return 1;
    }
    quiesce::KernelJournal journal(*root);
    if (auto locked = hook::lock_in_memory(); !locked) {
        journal.line(locked.error().message());
        journal.line(Message("hook.left_to_system"));
        return 1;
    }
    // While the disk is there. The levels of the kernel's log are systemd's, whose console output ours stands in.
    (void)quiesce::unlimit_kernel_log(*root);
    const LoadedSettings loaded = load_settings(*root);
    tell(journal, loaded.diagnostics);
    quiesce::LoadedPolicy policy = quiesce::load_policy(*root, loaded.settings);
    tell(journal, policy.diagnostics);
    policy.policy.in_use = quiesce::InUse::keep;
    quiesce::ForkedWriter writer;
    quiesce::ForkedDiskReader disks;
    quiesce::SystemNetworkControl network;
    hook::NoEvents events;
    quiesce::SystemProcesses processes;
    SystemClock clock;
    quiesce::SystemPause pause;
    const quiesce::Ports devices{*root,
                                 writer,
                                 disks,
                                 network,
                                 events,
                                 processes,
                                 journal,
                                 clock,
                                 pause,
                                 quiesce::creation_order_by_inode,
                                 quiesce::entries_by_inode};
    handover::RoomQuiescer quiescer(devices, std::move(policy.policy));
    SystemProcessRunner runner;  // of what is never asked for here: a load by the kexec program
    kexec::SystemLoader loader(*root, runner);
    handover::SystemRestarter restarter(*root, journal, OnHang::restart);
    hook::SystemSurroundings surroundings(*root, pause, ::getpid(), ::getppid());
    const hook::Ports ports{quiescer, loader, restarter, surroundings, journal, clock};
    return hook::run(argument, hook_settings(loaded.settings), ports) == hook::End::not_asked ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view argument = argc == 2 ? argv[1] : "";
    if (argument != "kexec" && argument != "poweroff" && argument != "halt" && argument != "reboot") {
        std::fputs(
            "usage: stillboot-shutdown poweroff|halt|reboot|kexec\n"
            "Run by systemd at the end of a shutdown. With \"kexec\", and with a kernel loaded, it unbinds the\n"
            "devices of this machine and starts that kernel AT ONCE; otherwise it does nothing.\n",
            stderr);
        return 2;
    }
    return argument == "kexec" ? still_and_jump(argument) : 0;
}
