// SPDX-License-Identifier: Apache-2.0
// Whether this copy of a source leaves out one check, so that its fuzzer can be seen to miss it.
#pragma once

namespace stillboot {

/// True only in the copies of a reader that tests/fuzz builds with -Dplanted_defects=true: each reader has one
/// check that is left out there. A constant and not an #ifdef, so that every compiler sees the same code.
#ifdef STILLBOOT_PLANTED_DEFECT
constexpr bool planted_defect = true;
#else
constexpr bool planted_defect = false;
#endif

}  // namespace stillboot
