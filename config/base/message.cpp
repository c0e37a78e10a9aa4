// SPDX-License-Identifier: Apache-2.0
// The catalogue of messages and how a message becomes a sentence.
#include "config/base/message.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace stillboot {
namespace {

struct Entry {
    std::string_view code;
    std::string_view text;
};

// One file for each room, so that a room's sentences are read and changed together.
constexpr Entry catalogue[] = {
#include "config/base/catalogue/base.inc"
#include "config/base/catalogue/cli.inc"
#include "config/base/catalogue/config.inc"
#include "config/base/catalogue/daemon.inc"
#include "config/base/catalogue/grub.inc"
#include "config/base/catalogue/handover.inc"
#include "config/base/catalogue/hook.inc"
#include "config/base/catalogue/kexec.inc"
#include "config/base/catalogue/platform.inc"
#include "config/base/catalogue/probe.inc"
#include "config/base/catalogue/quiesce.inc"
#include "config/base/catalogue/state.inc"
#include "config/base/catalogue/ui.inc"
};

std::string describe_unknown(const Message& message) {
    std::string text = message.code();
    for (const auto& param : message.params()) {
        text += " " + param.name + "=" + param.value;
    }
    return text;
}

}  // namespace

std::string_view Message::param(std::string_view name) const {
    const auto found =
        std::find_if(params_.begin(), params_.end(), [&](const Param& p) { return p.name == name; });
    return found == params_.end() ? std::string_view() : std::string_view(found->value);
}

Message Message::with(Param param) const {
    Message copy = *this;
    copy.params_.push_back(std::move(param));
    return copy;
}

std::string Message::sentence() const {
    const std::string_view text = catalogue_template(code_);
    if (text.empty()) {
        return describe_unknown(*this);
    }
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t open = text.find('{', at);
        const std::size_t close = open == text.npos ? text.npos : text.find('}', open);
        if (close == text.npos) {
            break;
        }
        out.append(text.substr(at, open - at));
        out.append(param(text.substr(open + 1, close - open - 1)));
        at = close + 1;
    }
    return out.append(text.substr(at));
}

std::string_view catalogue_template(std::string_view code) {
    const auto* found =
        std::find_if(std::begin(catalogue), std::end(catalogue), [&](const Entry& e) { return e.code == code; });
    return found == std::end(catalogue) ? std::string_view() : found->text;
}

std::string errno_words(int error_number) {
    const char* name = ::strerrorname_np(error_number);
    const char* desc = ::strerrordesc_np(error_number);
    return std::string(name != nullptr ? name : std::to_string(error_number)) + " (" +
           (desc != nullptr ? desc : "unknown error") + ")";
}

}  // namespace stillboot
