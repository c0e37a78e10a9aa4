// SPDX-License-Identifier: Apache-2.0
#include "quiesce/step_runner.hpp"

#include <doctest/doctest.h>

#include "quiesce/executor.hpp"
#include "tests/quiesce/fake_machine.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::quiesce::test::FakeWorld;

namespace {

using Lines = std::vector<std::string>;

const std::string slot1 = "/sys/devices/pci0000:00/0000:00:01.0";
const std::string slot2 = "/sys/devices/pci0000:00/0000:00:02.0";

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE(
        "independent devices go at once, up to the limit, and all of it takes as long as the slowest chain") {
        for (const std::size_t parallel : {std::size_t{1}, std::size_t{8}, std::size_t{64}}) {
            CAPTURE(parallel);
            FakeWorld world;
            for (int i = 0; i < 16; ++i) {
                const std::string name = "0000:01:" + std::to_string(10 + i) + ".0";
                world.machine.pci("/sys/devices/pci0000:00/" + name, "0x020000", "e1000");
                world.kernel.takes["/sys/bus/pci/drivers/e1000/unbind " + name] = 1s;
            }
            ExecuteOptions options;
            options.runner.parallel = parallel;
            const auto began = world.time.now();
            REQUIRE(execute(make_plan(world.machine.inventory(), {}), world.machine.inventory(), world.ports(),
                            options)
                        .ok());
            CHECK(world.kernel.most_at_once == std::min<std::size_t>(16, parallel));
            CHECK(world.time.now() - began == std::chrono::seconds(parallel == 1 ? 16 : parallel == 8 ? 2 : 1));
        }
    }

    TEST_CASE(
        "who holds a slow device open is named, also when its node is gone, and asked to end only on request") {
        for (const bool release : {false, true}) {
            CAPTURE(release);
            FakeWorld world;
            world.machine.pci(slot1, "0x040300", "snd_hda_intel");
            world.machine.file(slot1 + "/sound/card0/controlC0/uevent",
                               "MAJOR=116\nMINOR=0\nDEVNAME=snd/controlC0\n");
            world.machine.link("/sys/dev/char/116:0", slot1 + "/sound/card0/controlC0");
            world.machine.file("/sys/devices/virtual/mem/null/uevent", "DEVNAME=null\n");
            world.machine.link("/sys/dev/char/1:3", "/sys/devices/virtual/mem/null");
            const Plan plan = make_plan(world.machine.inventory(), {});
            world.machine.file("/proc/812/comm", "player\n");
            std::filesystem::create_directories(world.machine.real("/proc/812/fd"));
            std::filesystem::create_symlink("/dev/snd/controlC0 (deleted)", world.machine.real("/proc/812/fd/3"));
            std::filesystem::create_symlink("/dev/null", world.machine.real("/proc/812/fd/0"));
            world.kernel.takes["/sys/bus/pci/drivers/snd_hda_intel/unbind 0000:00:01.0"] = 1h;
            ExecuteOptions options;
            options.runner.release_holders = release;
            Lines said;
            options.runner.on_progress = [&](const StepProgress& progress) {
                said.push_back(message_of(progress).sentence());
            };
            const Execution execution = execute(plan, world.machine.inventory(), world.ports(), options);
            REQUIRE(execution.failure);
            CHECK(execution.failure->sentence() ==
                  "/sys/devices/pci0000:00/0000:00:01.0 (snd_hda_intel) did not let go within 10 s, held open by "
                  "player "
                  "(process 812): its unbind hangs in the kernel, and no kexec may follow");
            CHECK(world.journal.lines.at(3) ==
                  "0000:00:01.0 (snd_hda_intel) takes long: player (process 812)" +
                      std::string(release ? ", which holds /dev/snd/controlC0 (deleted) open, is asked to end"
                                          : " holds /dev/snd/controlC0 (deleted) open"));
            CHECK(world.processes.asked == (release ? Lines{"812"} : Lines{}));
            CHECK(std::find(said.begin(), said.end(),
                            "0000:00:01.0 (snd_hda_intel), held open by player (process 812), takes long") !=
                  said.end());
        }
    }

    TEST_CASE("a stage begins when all of the one before it has ended") {
        FakeWorld world;
        world.machine.pci(slot1, "0x030000", "bochs-drm");
        world.machine.pci(slot2, "0x020000", "e1000");
        world.kernel.takes["/sys/bus/pci/drivers/e1000/unbind 0000:00:02.0"] = 5s;
        REQUIRE(
            execute(make_plan(world.machine.inventory(), {}), world.machine.inventory(), world.ports(), {}).ok());
        CHECK(world.kernel.most_at_once == 1);
        CHECK(world.kernel.writes.front() == "/sys/bus/pci/drivers/e1000/unbind 0000:00:02.0");
    }

    TEST_CASE("progress tells what is under way, what is slow, and how long it can take") {
        FakeWorld world;
        world.machine.pci(slot1, "0x030000", "bochs-drm");  // a minute, after the other
        world.machine.pci(slot2, "0x020000", "e1000");
        world.kernel.takes["/sys/bus/pci/drivers/e1000/unbind 0000:00:02.0"] = 4s;
        Lines said;
        std::vector<std::int64_t> left;
        ExecuteOptions options;
        options.runner.on_progress = [&](const StepProgress& progress) {
            const auto line = std::to_string(progress.done) + "/" + std::to_string(progress.total) + " " +
                              message_of(progress).sentence();
            if (said.empty() || said.back() != line) {
                said.push_back(line);
                left.push_back(progress.left_at_most.count());
            }
        };
        REQUIRE(
            execute(make_plan(world.machine.inventory(), {}), world.machine.inventory(), world.ports(), options)
                .ok());
        CHECK(said == Lines{"0/2 under way: 0000:00:02.0 (e1000)", "0/2 0000:00:02.0 (e1000) takes long",
                            "1/2 one moment", "1/2 under way: 0000:00:01.0 (bochs-drm)", "2/2 one moment"});
        CHECK(left == std::vector<std::int64_t>{70'000, 67'000, 60'000, 60'000, 0});
    }

    TEST_CASE("when the budget is over, what is under way is given up and nothing more is begun") {
        FakeWorld world;
        world.machine.pci(slot1, "0x030000", "bochs-drm");
        world.machine.pci(slot2, "0x020000", "e1000");
        world.kernel.takes["/sys/bus/pci/drivers/e1000/unbind 0000:00:02.0"] = 6s;
        ExecuteOptions options;
        options.runner.budget = 5s;
        const Plan plan = make_plan(world.machine.inventory(), {});
        const Execution execution = execute(plan, world.machine.inventory(), world.ports(), options);
        REQUIRE(execution.failure);
        CHECK(execution.failure->sentence() ==
              "/sys/devices/pci0000:00/0000:00:02.0 (e1000) did not let go within 5 s: its unbind hangs in the "
              "kernel, and no kexec may follow");
        CHECK(execution.outcomes.size() == 1);

        FakeWorld other;
        other.machine.pci(slot1, "0x030000", "bochs-drm");
        other.machine.pci(slot2, "0x020000", "e1000");
        other.kernel.takes["/sys/bus/pci/drivers/e1000/unbind 0000:00:02.0"] = 5s;
        CHECK(execute(plan, other.machine.inventory(), other.ports(), options).failure->sentence() ==
              "the unbinding is not done after 5 s, which is all it was given");
    }
}
