// SPDX-License-Identifier: Apache-2.0
// Everything that one file system offers to boot: the one list of places and formats, for probes and offline use.
#pragma once

#include "config/model/scan_result.hpp"
#include "config/parse/file_source.hpp"

namespace stillboot {

/// Looks for configuration files of every format in the usual places, in a fixed order, and reads them all.
///
/// An option's id becomes "device id/format/entry name", and its device_id that of the source. Where two files
/// offer the same (kernel, initrds, devicetree and command line), the first keeps it and a note says so. The
/// first file that names a default keeps it. Text that is not UTF-8 is made so, and said.
/// @param named  paths of further files to read (named_file.hpp), behind all others; what came of each is in the
/// result
/// @return options, or Nothing with the reason; never a container, which is not for those who read files to see.
/// Blocking: as the source is.
[[nodiscard]] ScanResult scan_file_system(FileSource& source, const std::vector<std::string>& named = {});

}  // namespace stillboot
