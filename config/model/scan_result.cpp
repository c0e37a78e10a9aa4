// SPDX-License-Identifier: Apache-2.0
// Names of containers.
#include "config/model/scan_result.hpp"

namespace stillboot {

std::string_view to_word(Container::Kind kind) {
    switch (kind) {
        case Container::Kind::luks: return "luks";
        case Container::Kind::lvm_pv: return "lvm";
        case Container::Kind::md_member: return "md";
        case Container::Kind::multi_device_btrfs: return "btrfs";
    }
    return "luks";
}

}  // namespace stillboot
