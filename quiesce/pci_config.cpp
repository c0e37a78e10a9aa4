// SPDX-License-Identifier: Apache-2.0
// Walks the capability list of a configuration space with every step bounded.
#include "quiesce/pci_config.hpp"

#include <bitset>

namespace stillboot::quiesce {
namespace {

constexpr std::size_t status_offset = 0x06;
constexpr std::size_t header_type_offset = 0x0e;
constexpr std::size_t capabilities_pointer_offset = 0x34;
constexpr std::size_t capabilities_begin = pci_header_bytes;
constexpr std::size_t capabilities_end = 0x100;
constexpr std::uint16_t status_has_capabilities = 0x10;

constexpr std::uint8_t capability_msi = 0x05;
constexpr std::uint8_t capability_pcie = 0x10;
constexpr std::uint8_t capability_msix = 0x11;

std::uint8_t register8(std::string_view bytes, std::size_t offset) {
    return offset < bytes.size() ? static_cast<std::uint8_t>(bytes[offset]) : std::uint8_t{0xff};
}

void note_capability(std::string_view bytes, std::size_t at, PciState& state) {
    switch (register8(bytes, at)) {
        case capability_msi:
            state.msi_control = at + 2;
            state.msi = (pci_register16(bytes, at + 2) & 0x1) != 0;
            break;
        case capability_msix:
            state.msix_control = at + 2;
            state.msix = (pci_register16(bytes, at + 2) & 0x8000) != 0;
            break;
        case capability_pcie: state.pending = (pci_register16(bytes, at + 0x0a) & 0x20) != 0; break;
        default: break;
    }
}

}  // namespace

std::uint16_t pci_register16(std::string_view bytes, std::size_t offset) {
    return static_cast<std::uint16_t>(register8(bytes, offset) | (register8(bytes, offset + 1) << 8));
}

PciState parse_pci_config(std::string_view bytes) {
    PciState state;
    state.whole = bytes.size() > pci_header_bytes;
    const std::uint16_t vendor = pci_register16(bytes, 0);
    if (bytes.size() < capabilities_begin || vendor == 0xffff || vendor == 0) {
        return state;
    }
    state.answers = true;
    state.endpoint = (register8(bytes, header_type_offset) & 0x7f) == 0;
    state.bus_master = (pci_register16(bytes, pci_command_offset) & pci_command_master) != 0;
    if ((pci_register16(bytes, status_offset) & status_has_capabilities) == 0) {
        return state;
    }
    std::bitset<capabilities_end> seen;
    std::size_t at = register8(bytes, capabilities_pointer_offset) & 0xfcU;
    while (at != 0) {
        // A list that a broken or hostile device closes into a ring, or leads into the header.
        if (at < capabilities_begin || at + 3 >= bytes.size() || seen.test(at)) {
            state.damaged = true;
            break;
        }
        seen.set(at);
        note_capability(bytes, at, state);
        at = register8(bytes, at + 1) & 0xfcU;
    }
    return state;
}

}  // namespace stillboot::quiesce
