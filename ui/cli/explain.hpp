// SPDX-License-Identifier: Apache-2.0
// What `stillboot explain` finds out, and how it reads.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/model/scan_result.hpp"
#include "config/parse/directory_source.hpp"
#include "ui/cli/context.hpp"

namespace stillboot::cli {

struct ExplainOrder {
    /// A directory or an image, and the name it is given.
    struct Place {
        std::string path;
        DeviceId device;
    };
    Place own;
    std::vector<Place> others;
};

/// An --also of the command line: "DIR:uuid=U,label=L,device=ID", at least one of the three.
/// @error cli.also
[[nodiscard]] Result<ExplainOrder::Place> parse_also(const std::string& text);

/// Gives a device that has no id the next best of its names.
void complete_id(DeviceId& device);

/// The other file systems, which must be directories. @error cli.no_such_path
[[nodiscard]] Result<std::vector<DirectorySource::FileSystem>> open_others(const ExplainOrder& order);

/// Scans a directory. @error cli.no_such_path
[[nodiscard]] Result<ScanResult> scan_directory(const ExplainOrder& order);

/// {"options": […], "diagnostics": […]}, and "reason" where there is no option.
[[nodiscard]] boost::json::value explain_json(const ScanResult& result, const ExplainOrder& order);

void print_explanation(const Context& context, const ScanResult& result, const ExplainOrder& order);

}  // namespace stillboot::cli
