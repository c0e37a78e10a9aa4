// SPDX-License-Identifier: Apache-2.0
// The reader of environment blocks.
#include "config/parse/grub/environment_block.hpp"

#include <algorithm>

#include "config/base/planted_defect.hpp"

namespace stillboot {
namespace {

constexpr std::string_view header = "# GRUB Environment Block\n";
constexpr std::size_t limit_bytes = 64U << 10;

bool is_name(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

class Reader {
public:
    Reader(std::string_view text, std::string_view file) : text_(text), file_(file) {}

    EnvironmentBlock read() {
        if (text_.size() > limit_bytes) {
            report(Severity::warning, Message("grub.env_too_large", {{"limit_bytes", limit_bytes}}));
            text_ = text_.substr(0, limit_bytes);
        }
        if (text_.substr(0, header.size()) != header) {
            report(Severity::error, Message("grub.env_no_header"));
            return std::move(block_);
        }
        at_ = header.size();
        line_ = 2;
        while (at_ < text_.size()) {
            if (text_[at_] == '#' || text_[at_] == '\n') {
                skip_line();
            } else {
                variable();
            }
        }
        return std::move(block_);
    }

private:
    void report(Severity severity, Message message) {
        block_.diagnostics.emplace_back(severity, std::string(file_), line_, 1, std::move(message));
    }

    // The padding is one long line of '#', so this also ends the block.
    void skip_line() {
        const std::size_t end = std::min(text_.find('\n', at_), text_.size());
        at_ = end + 1;
        ++line_;
    }

    void variable() {
        std::string text;
        std::uint32_t lines = 0;
        std::size_t equals = std::string::npos;
        while (at_ < text_.size() && text_[at_] != '\n') {
            if (text_[at_] == '\\' && (at_ + 1 < text_.size() || planted_defect)) {
                ++at_;
                lines += text_[at_] == '\n' ? 1 : 0;
            } else if (text_[at_] == '=' && equals == std::string::npos) {
                equals = text.size();
            }
            text += text_[at_++];
        }
        keep(std::move(text), equals, at_ < text_.size());
        ++at_;
        line_ += lines + 1;
    }

    void keep(std::string text, std::size_t equals, bool ended) {
        if (!ended) {
            report(Severity::warning, Message("grub.env_unterminated"));
        } else if (equals == std::string::npos) {
            report(Severity::warning, Message("grub.env_no_equals"));
        } else if (!is_name(std::string_view(text).substr(0, equals))) {
            report(Severity::warning, Message("grub.env_bad_name", {{"name", text.substr(0, equals)}}));
        } else {
            block_.variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
    }

    std::string_view text_;
    std::string_view file_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
    EnvironmentBlock block_;
};

}  // namespace

EnvironmentBlock parse_environment_block(std::string_view text, std::string_view file) {
    return Reader(text, file).read();
}

}  // namespace stillboot
