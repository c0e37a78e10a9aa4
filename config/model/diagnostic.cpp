// SPDX-License-Identifier: Apache-2.0
// Diagnostics as text.
#include "config/model/diagnostic.hpp"

namespace stillboot {

std::string_view to_word(Severity severity) {
    switch (severity) {
        case Severity::note: return "note";
        case Severity::warning: return "warning";
        case Severity::error: return "error";
    }
    return "note";
}

std::string Diagnostic::text() const {
    std::string out = file;
    for (const std::uint32_t position : {line, column}) {
        if (position != 0) {
            out += ":" + std::to_string(position);
        }
    }
    if (!out.empty()) {
        out += ": ";
    }
    return out + std::string(to_word(severity)) + ": " + message.sentence();
}

}  // namespace stillboot
