// SPDX-License-Identifier: Apache-2.0
// Validation of a scan's result.
#include "daemon/probe/scan_reader.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <unordered_set>

#include "daemon/probe/question.hpp"
#include "daemon/probe/sealed.hpp"
#include "daemon/protocol/json.hpp"

namespace stillboot::probe {
namespace {

Error broken(std::string_view what) {
    return Error("probe.helper_broke_protocol", {{"what", what}});
}

// A probe that was taken over must not speak for another device.
bool options_are_its_own(const std::vector<BootOption>& options, const DeviceId& device) {
    std::unordered_set<std::string_view> ids;
    const std::string prefix = device.id + "/";
    for (const auto& option : options) {
        if (option.device_id != device.id || !option.id.starts_with(prefix) || !ids.insert(option.id).second) {
            return false;
        }
    }
    return true;
}

}  // namespace

Result<ScanResult> scan_result_of(std::string_view text, const DeviceId& device) {
    // Thousands of small values that go together.
    boost::json::monotonic_resource memory;
    auto parsed = protocol::parse_json(text, &memory);
    if (!parsed) {
        return broken("result is not JSON");
    }
    auto result = protocol::from_json<ScanResult>(*parsed);
    if (!result) {
        return broken("result: " + result.error().sentence());
    }
    const auto* options = std::get_if<std::vector<BootOption>>(&result->finding);
    if (result->diagnostics.size() > max_diagnostics || (options != nullptr && options->size() > max_options)) {
        return broken("result has too many parts");
    }
    if (options != nullptr && !options_are_its_own(*options, device)) {
        return broken("result names options of another device");
    }
    if (result->named.size() > max_named_files) {
        return broken("result tells of too many named files");
    }
    return result;
}

Result<ScanResult> read_scan_result(int fd, const DeviceId& device) {
    auto text = read_sealed(fd, max_result_bytes, "scan result");
    return text ? scan_result_of(*text, device) : Result<ScanResult>(text.error());
}

}  // namespace stillboot::probe
