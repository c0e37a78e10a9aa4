// SPDX-License-Identifier: Apache-2.0
#include "quiesce/plan.hpp"

#include <doctest/doctest.h>

#include "tests/quiesce/fake_machine.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::quiesce::test::FakeMachine;

namespace {

std::vector<std::string> step_names(const Plan& plan) {
    std::vector<std::string> names;
    for (const auto& step : plan.steps) {
        names.push_back(step.name);
    }
    return names;
}

using Names = std::vector<std::string>;

const std::string bus0 = "/sys/devices/pci0000:00";

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("what was bound latest is unbound first") {
        FakeMachine machine;
        machine.pci(bus0 + "/0000:00:01.0", "0x020000", "e1000");
        machine.pci(bus0 + "/0000:00:02.0", "0x010802", "nvme");
        machine.pci(bus0 + "/0000:00:03.0", "0x0c0330", "xhci_hcd");
        machine.bind_order(bus0 + "/0000:00:01.0", 20);
        machine.bind_order(bus0 + "/0000:00:02.0", 30);
        machine.bind_order(bus0 + "/0000:00:03.0", 10);
        CHECK(step_names(make_plan(machine.inventory(), {})) ==
              Names{"0000:00:02.0", "0000:00:01.0", "0000:00:03.0"});
    }

    TEST_CASE("a descendant goes before its ancestor whatever the order of binds") {
        FakeMachine machine;
        machine.pci(bus0 + "/0000:00:01.0", "0x010000", "virtio-pci");
        machine.device(bus0 + "/0000:00:01.0/virtio0", "virtio", "virtio_blk");
        machine.bind_order(bus0 + "/0000:00:01.0", 99);  // bound again by hand
        CHECK(step_names(make_plan(machine.inventory(), {})) == Names{"virtio0", "0000:00:01.0"});
    }
}
