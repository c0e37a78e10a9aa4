// SPDX-License-Identifier: Apache-2.0
// What the tests of the policy let it decide between.
#pragma once

#include "daemon/policy/policy.hpp"

namespace stillboot::test {

inline const policy::Instant start{};
inline const policy::Candidate first("disk0/a", "A");
inline const policy::Candidate second("disk1/b", "B");
inline const policy::Candidate third("disk2/c", "C");
inline const Message refused("base.not_a_file", {{"path", "/k"}});
inline const Message by_configuration("daemon.by_configuration");

// One claim, as the settings have it by default.
inline std::vector<policy::Claim> defaults(std::vector<policy::Candidate> names) {
    return {{by_configuration, std::chrono::seconds(0), std::move(names)}};
}

// A claim that waits 30 s for `first`, before one that names `second`.
inline std::vector<policy::Claim> awaiting(std::vector<policy::Candidate> names) {
    return {{Message("daemon.by_rule", {{"rule", "id=a"}, {"key", "boot"}, {"origin", "x"}}),
             std::chrono::seconds(30), std::move(names)},
            {by_configuration, std::chrono::seconds(0), {second}}};
}

}  // namespace stillboot::test
