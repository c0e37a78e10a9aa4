// SPDX-License-Identifier: Apache-2.0
// Loading by the kexec program of kexec-tools (kexec_load), for what kexec_file_load cannot do.
#pragma once

#include <string>
#include <vector>

#include "config/base/process.hpp"
#include "config/base/result.hpp"
#include "config/base/root.hpp"
#include "kexec/loader.hpp"

namespace stillboot::kexec {

/// The program with its arguments for an order; the files are named by the descriptors of this process.
/// @param host for whom the program was built: its options differ
/// Source: kexec(8) and `kexec --help` of kexec-tools 2.0.25.
[[nodiscard]] std::vector<std::string> program_arguments(const LoadOrder& order, Architecture host);

/// Runs the program. Blocking, ten minutes at most.
/// @param reason the errno for which kexec_file_load cannot serve this order
/// @error kexec.program_missing or kexec.devicetree_program_missing where it is not installed,
///   kexec.program_failed with the first lines of what it printed, kexec.program_killed, base.child_timed_out,
///   base.spawn_failed
[[nodiscard]] Result<void> load_by_program(const LoadOrder& order, int reason, ProcessRunner& runner,
                                           Architecture host);

/// Refuses a devicetree where no way of loading can pass it on: kexec_file_load takes none on any architecture,
/// the program takes none on x86, and a locked-down kernel forbids the program's kexec_load.
/// @error kexec.devicetree_not_on_x86, kexec.devicetree_locked_down
[[nodiscard]] Result<void> check_devicetree(const Root& root, Architecture host = host_architecture());

}  // namespace stillboot::kexec
