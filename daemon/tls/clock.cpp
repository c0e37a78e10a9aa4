// SPDX-License-Identifier: Apache-2.0
// A clock that is not behind the build.
#include <algorithm>

#include "daemon/tls/build_time.hpp"
#include "daemon/tls/tls.hpp"

namespace stillboot::tls {

std::time_t not_before_the_build(std::time_t clock) {
    return std::max(clock, build_time);
}

}  // namespace stillboot::tls
