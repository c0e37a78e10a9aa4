// SPDX-License-Identifier: Apache-2.0
// From events to messages.
#include "daemon/handover/progress.hpp"

namespace stillboot::handover {

protocol::Progress progress_of(const Event& event, std::string option) {
    const auto milliseconds = [](std::chrono::milliseconds time) {
        return static_cast<std::uint64_t>(time.count());
    };
    protocol::Progress progress;
    progress.option = std::move(option);
    progress.step = to_word(event.step);
    progress.message = event.message;
    progress.done = event.done;
    progress.total = event.total;
    progress.elapsed_ms = milliseconds(event.elapsed);
    for (const ActiveDevice& active : event.active) {
        progress.active.push_back({active.name, active.driver, milliseconds(active.elapsed), active.slow});
    }
    progress.left_ms = milliseconds(event.left_at_most);
    return progress;
}

}  // namespace stillboot::handover
