// SPDX-License-Identifier: Apache-2.0
// `stillboot explain` of a disk image or a block device: through the probe, as the daemon scans.
#pragma once

#include "ui/cli/explain.hpp"

namespace stillboot::cli {

/// Scans the file system in an image file or on a block device, in the same confinement as a scan of the daemon.
/// The other file systems are directories. @error cli.no_such_path, and as probe::scan
[[nodiscard]] Result<ScanResult> scan_image(const ExplainOrder& order);

}  // namespace stillboot::cli
