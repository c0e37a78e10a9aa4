// SPDX-License-Identifier: Apache-2.0
// Comparing references with devices.
#include "config/model/device.hpp"

#include <strings.h>

namespace stillboot {

std::string_view to_word(DeviceRef::Kind kind) {
    switch (kind) {
        case DeviceRef::Kind::self: return "self";
        case DeviceRef::Kind::uuid: return "uuid";
        case DeviceRef::Kind::label: return "label";
        case DeviceRef::Kind::partuuid: return "partuuid";
        case DeviceRef::Kind::partlabel: return "partlabel";
        case DeviceRef::Kind::id: return "device";
    }
    return "self";
}

bool names_device(const DeviceRef& reference, const DeviceId& device) {
    if (reference.value.empty()) {
        return false;
    }
    switch (reference.kind) {
        case DeviceRef::Kind::self: return false;
        case DeviceRef::Kind::uuid: return ::strcasecmp(reference.value.c_str(), device.uuid.c_str()) == 0;
        case DeviceRef::Kind::label: return reference.value == device.label;
        case DeviceRef::Kind::partuuid: return ::strcasecmp(reference.value.c_str(), device.partuuid.c_str()) == 0;
        case DeviceRef::Kind::partlabel: return reference.value == device.partlabel;
        case DeviceRef::Kind::id: return reference.value == device.id;
    }
    return false;
}

}  // namespace stillboot
