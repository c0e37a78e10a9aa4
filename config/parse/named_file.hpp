// SPDX-License-Identifier: Apache-2.0
// A configuration, or a kernel, that a person named by its path.
#pragma once

#include <string>

#include "config/model/diagnostic.hpp"
#include "config/parse/file_source.hpp"

namespace stillboot {

struct ReadFile {
    std::string format;  ///< "bls", "grub" or "kernel"
    Parsed parsed;
};

/// Reads one file: an entry of the Boot Loader Specification where its name ends in ".conf", a directory of those,
/// a configuration of GRUB where it is any other text; what is no text is taken for a kernel itself, and whether
/// it is one shows when it is loaded. None of its options is a default.
/// @error config.file_missing, and what kept the file from being read
/// Blocking: as the source is.
[[nodiscard]] Result<ReadFile> read_named_file(FileSource& source, const std::string& path);

}  // namespace stillboot
