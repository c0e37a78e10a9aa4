// SPDX-License-Identifier: Apache-2.0
#include "kexec/handover/power_cycle.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::handover;

TEST_SUITE("handover") {
    TEST_CASE(
        "a machine without a management controller is said to have none, with the modules that make its device") {
        const test::TemporaryTree tree;
        const Root root = tree.root();
        CHECK(
            cycle_power(root).error().sentence() ==
            "the power cannot be cycled through IPMI: /dev/ipmi0: ENOENT (No such file or directory) (the modules "
            "ipmi_si and ipmi_devintf make it)");
        tree.file("dev/ipmi0", "");
        CHECK(cycle_power(root).error().sentence() ==
              "the power cannot be cycled through IPMI: /dev/ipmi0: ENOTTY (Inappropriate ioctl for device) (the "
              "modules ipmi_si and ipmi_devintf make it)");
    }
}
