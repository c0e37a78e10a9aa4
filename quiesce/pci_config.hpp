// SPDX-License-Identifier: Apache-2.0
// The few facts of PCI configuration space that say whether a function can write to memory or interrupt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stillboot::quiesce {

/// Offsets are 0 where a capability is absent. Source: PCI Local Bus 3.0, section 6; PCI Express Base, 7.5.3.
struct PciState {
    bool whole = false;            ///< more than the header was read: others than root are shown that alone
    bool answers = false;          ///< the vendor id is neither all ones nor absent
    bool endpoint = false;         ///< header type 0
    bool bus_master = false;       ///< command register, bit 2
    bool msi = false;              ///< MSI enable
    bool msix = false;             ///< MSI-X enable
    bool pending = false;          ///< PCIe Device Status, transactions pending
    bool damaged = false;          ///< the capability list loops or leaves its area: what lies past it is unknown
    std::size_t msi_control = 0;   ///< offset of the 16-bit control register
    std::size_t msix_control = 0;  ///< offset of the 16-bit control register

    [[nodiscard]] bool quiet() const { return !bus_master && !msi && !msix && !pending; }
    bool operator==(const PciState&) const = default;
};

constexpr std::size_t pci_header_bytes = 64;
constexpr std::size_t pci_command_offset = 4;
constexpr std::uint16_t pci_command_master = 0x4;

/// Reads what the text of a sysfs `config` file says. Any bytes are accepted, none at all too.
[[nodiscard]] PciState parse_pci_config(std::string_view bytes);

/// A little-endian 16-bit register, 0xffff past the end.
[[nodiscard]] std::uint16_t pci_register16(std::string_view bytes, std::size_t offset);

}  // namespace stillboot::quiesce
