// SPDX-License-Identifier: Apache-2.0
// stillboot quiesce report: how the system before this one left its devices when kexec started this one.
#pragma once

#include "ui/cli/context.hpp"

namespace stillboot::cli {

/// Which end of a jump the report is asked for at.
enum class ReportWhen {
    any,          ///< looks only
    before_jump,  ///< at the end of a system: keeps the plan, where a kernel is loaded
    after_jump,   ///< at the start of one: claims the report for this boot, or removes one that is stale
};

[[nodiscard]] ExitCode report_jump(const Context& context, ReportWhen when);

}  // namespace stillboot::cli
