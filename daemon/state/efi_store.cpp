// SPDX-License-Identifier: Apache-2.0
// Two variables, each written whole by the firmware.
#include "daemon/state/efi_store.hpp"

#include <cerrno>

namespace stillboot::state {
namespace {

std::string variable_name(int which) {
    return "StillbootState" + std::to_string(which);
}

}  // namespace

std::string VariablePlaces::name(int which) const {
    return "EFI variable " + variable_name(which);
}

Result<std::string> VariablePlaces::read(int which) const {
    auto data = variables_->read(variable_name(which), platform::stillboot_vendor);
    if (!data) {
        return Error::from_errno(data.error().error_number(), "state.read_failed", {{"copy", name(which)}});
    }
    return std::move(*data).value_or("");
}

Result<void> VariablePlaces::write(int which, std::string bytes) const {
    const auto written = variables_->write(variable_name(which), platform::stillboot_vendor, bytes);
    if (written) {
        return {};
    }
    const int why = written.error().error_number();
    if (why == EINVAL) {
        return Error("state.firmware_refuses", {{"bytes", std::uint64_t{bytes.size()}}});
    }
    return write_error(why, name(which));
}

EfiStore::EfiStore(platform::EfiVariables variables, std::chrono::milliseconds deadline)
    : TwoCopyStore(
          std::string(words),
          [kept = std::make_shared<const platform::EfiVariables>(std::move(variables))] {
              return Result<std::unique_ptr<CopyPlaces>>(std::make_unique<VariablePlaces>(kept));
          },
          deadline) {}

}  // namespace stillboot::state
