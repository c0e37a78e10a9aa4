// SPDX-License-Identifier: Apache-2.0
// The front of the GRUB evaluator.
#include "config/parse/grub/grub.hpp"

namespace stillboot {

GrubResult evaluate_grub(FileSource& source, std::string_view path, const GrubOptions& options) {
    GrubResult result;
    const auto text = source.read(DeviceRef(), path, options.limits.file_bytes);
    if (!text) {
        result.parsed.diagnostics.emplace_back(Severity::error, std::string(path), 0, 0, text.error().message());
    }
    return result;
}

Parsed parse_grub(FileSource& source, std::string_view path, const GrubOptions& options) {
    return evaluate_grub(source, path, options).parsed;
}

}  // namespace stillboot
