// SPDX-License-Identifier: Apache-2.0
// What a parser or a scan has to say about what it read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/message.hpp"
#include "config/model/boot_option.hpp"

namespace stillboot {

enum class Severity { note, warning, error };

/// "note", "warning" or "error". Lifetime: static.
[[nodiscard]] std::string_view to_word(Severity severity);

/// Lines and columns count from 1; 0 where there is none. Columns count bytes.
struct Diagnostic {
    Diagnostic() = default;
    Diagnostic(Severity level, std::string where, std::uint32_t at_line, std::uint32_t at_column, Message what)
        : severity(level), file(std::move(where)), line(at_line), column(at_column), message(std::move(what)) {}

    Severity severity = Severity::note;
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    Message message;

    /// "file:line:column: severity: sentence", less what is not known.
    [[nodiscard]] std::string text() const;
    bool operator==(const Diagnostic&) const = default;
};

/// What every parser returns: malformed input is data, never a failure.
struct Parsed {
    std::vector<BootOption> options;
    std::vector<Diagnostic> diagnostics;
};

}  // namespace stillboot
