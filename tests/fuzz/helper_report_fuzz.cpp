// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a helper sends: a report, and a scan's result. A probe that was taken over may send anything.
#include <cstdint>
#include <string>

#include "daemon/probe/scan_reader.hpp"
#include "daemon/probe/wire.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stillboot;
    const std::string text(data, data + size);
    probe::Packet packet;
    packet.text = text;
    (void)probe::report_of(std::move(packet));
    DeviceId device;
    device.id = "d";
    const auto result = probe::scan_result_of(text, device);
    const auto* options = result ? std::get_if<std::vector<BootOption>>(&result->finding) : nullptr;
    for (std::size_t i = 0; options != nullptr && i < options->size(); ++i) {
        if ((*options)[i].device_id != "d" || !(*options)[i].id.starts_with("d/")) {
            __builtin_trap();
        }
    }
    return 0;
}
