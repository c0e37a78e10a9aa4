// SPDX-License-Identifier: Apache-2.0
// The shipped policy: one table, the first rule that matches decides, each with its reason.
#include <array>

#include "quiesce/policy.hpp"

namespace stillboot::quiesce {
namespace {

using namespace std::chrono_literals;

constexpr int displays_last = 1;
constexpr std::chrono::seconds normal = 10s;
constexpr std::chrono::seconds slow = 60s;

constexpr Rule keep_driver(std::string_view driver, std::string_view reason) {
    Rule rule;
    rule.driver = driver;
    rule.action = Action::keep;
    rule.reason = reason;
    return rule;
}

constexpr Rule keep_class(std::string_view class_name, std::string_view reason) {
    Rule rule;
    rule.has_class = class_name;
    rule.action = Action::keep;
    rule.reason = reason;
    return rule;
}

// No step of its own: structure that others stand on, which goes along when its parent goes.
constexpr Rule follow_driver(std::string_view driver, std::string_view reason) {
    Rule rule = keep_driver(driver, reason);
    rule.action = Action::follow;
    return rule;
}

constexpr Rule follow_bus(std::string_view bus, std::string_view reason) {
    Rule rule;
    rule.bus = bus;
    rule.action = Action::follow;
    rule.reason = reason;
    return rule;
}

constexpr Rule pci_class(std::uint32_t value, std::uint32_t mask, Action action, std::string_view reason) {
    Rule rule;
    rule.bus = "pci";
    rule.pci_class = value;
    rule.pci_class_mask = mask;
    rule.action = action;
    rule.reason = reason;
    return rule;
}

constexpr Rule unbind_driver(std::string_view bus, std::string_view driver, std::chrono::seconds deadline,
                             std::string_view reason) {
    Rule rule;
    rule.bus = bus;
    rule.driver = driver;
    rule.deadline = deadline;
    rule.reason = reason;
    return rule;
}

constexpr Rule with_deadline(Rule rule, std::chrono::seconds deadline, int stage = 0) {
    rule.deadline = deadline;
    rule.stage = stage;
    return rule;
}

// A DRM driver on any bus: virtio_gpu is on virtio.
constexpr Rule display_by_class() {
    Rule rule;
    rule.has_class = "drm";
    rule.stage = displays_last;
    rule.deadline = slow;
    rule.reason = "quiesce.rule_display";
    return rule;
}

constexpr Rule libata_disk() {
    Rule rule;
    rule.bus = "scsi";
    rule.driver = "sd";
    rule.path = "*/ata[0-9]*/host*";
    rule.action = Action::keep;
    rule.reason = "quiesce.rule_ahci";
    return rule;
}

constexpr Rule libata_other() {
    Rule rule = libata_disk();
    rule.driver = {};
    rule.action = Action::follow;
    rule.reason = "quiesce.rule_goes_with_parent";
    return rule;
}

constexpr std::array rules = {
    // What must stay, and takes what it stands on with it.
    keep_driver("hvc_opal", "quiesce.rule_console"),
    keep_driver("hvc_vio", "quiesce.rule_console"),
    keep_driver("hvcs", "quiesce.rule_console"),
    keep_driver("simple-framebuffer", "quiesce.rule_framebuffer"),
    keep_driver("simpledrm", "quiesce.rule_framebuffer"),
    keep_driver("efi-framebuffer", "quiesce.rule_framebuffer"),
    keep_driver("vesa-framebuffer", "quiesce.rule_framebuffer"),
    keep_driver("offb", "quiesce.rule_framebuffer"),
    keep_driver("ofdrm", "quiesce.rule_framebuffer"),
    keep_class("watchdog", "quiesce.rule_watchdog"),
    keep_driver("*wdt*", "quiesce.rule_watchdog"),  // those that the class shows without a parent
    keep_driver("*watchdog*", "quiesce.rule_watchdog"),
    keep_driver("i6300ESB*", "quiesce.rule_watchdog"),
    keep_driver("pcwd*", "quiesce.rule_watchdog"),
    keep_driver("*[-_][tT][cC][oO]", "quiesce.rule_watchdog"),
    keep_class("tpm", "quiesce.rule_tpm"),
    keep_driver("tpm_*", "quiesce.rule_tpm"),
    keep_driver("ipmi_*", "quiesce.rule_ipmi"),
    keep_driver("ipmi-*", "quiesce.rule_ipmi"),
    keep_driver("ahci*", "quiesce.rule_ahci"),
    libata_disk(),
    libata_other(),
    keep_driver("pcieport", "quiesce.rule_bridge"),
    keep_driver("shpchp", "quiesce.rule_bridge"),
    pci_class(0x060000, 0xff0000, Action::keep, "quiesce.rule_bridge"),  // but 0680, which decide() passes by
    pci_class(0x080600, 0xffff00, Action::keep, "quiesce.rule_iommu"),
    keep_driver("intel-spi", "quiesce.rule_flash"),
    keep_driver("intel-spi-pci", "quiesce.rule_flash"),

    // Structure without DMA of its own.
    follow_driver("proc_thermal*", "quiesce.rule_thermal"),
    follow_driver("intel_pch_thermal", "quiesce.rule_thermal"),
    follow_driver("opal-*", "quiesce.rule_firmware_service"),
    follow_driver("opal_*", "quiesce.rule_firmware_service"),
    follow_driver("i8042", "quiesce.rule_no_dma"),
    follow_bus("serio", "quiesce.rule_no_dma"),
    follow_bus("pci_express", "quiesce.rule_bridge"),
    follow_bus("acpi", "quiesce.rule_firmware_service"),
    follow_bus("cpu", "quiesce.rule_structure"),
    follow_bus("memory", "quiesce.rule_structure"),
    follow_bus("node", "quiesce.rule_structure"),
    follow_bus("pnp", "quiesce.rule_no_dma"),

    // What takes long, and what goes last.
    with_deadline(pci_class(0x030000, 0xff0000, Action::unbind, "quiesce.rule_display"), slow, displays_last),
    display_by_class(),
    with_deadline(unbind_driver("virtio", "virtio_gpu", slow, "quiesce.rule_display"), slow, displays_last),
    with_deadline(pci_class(0x010400, 0xffff00, Action::unbind, "quiesce.rule_raid"), slow),
    unbind_driver("pci", "megaraid_sas", slow, "quiesce.rule_raid"),
    unbind_driver("pci", "mpt3sas", slow, "quiesce.rule_raid"),
    unbind_driver("pci", "mptsas", slow, "quiesce.rule_raid"),
    unbind_driver("pci", "mptspi", slow, "quiesce.rule_raid"),
    unbind_driver("pci", "aacraid", slow, "quiesce.rule_raid"),
    unbind_driver("pci", "hpsa", slow, "quiesce.rule_raid"),
    unbind_driver("pci", "smartpqi", slow, "quiesce.rule_raid"),
    unbind_driver("pci", "pm80xx", slow, "quiesce.rule_raid"),
    unbind_driver("pci", "mlx4_core", slow, "quiesce.rule_slow_network"),
    unbind_driver("pci", "mlx5_core", slow, "quiesce.rule_slow_network"),

    // Everything else that does DMA.
    unbind_driver("pci", "*", normal, "quiesce.rule_dma"),
    unbind_driver("virtio", "*", normal, "quiesce.rule_dma"),
    unbind_driver("vio", "ibmv*", normal, "quiesce.rule_dma"),
    unbind_driver("scsi", "*", normal, "quiesce.rule_storage_leaf"),
    unbind_driver("usb", "usb-storage", normal, "quiesce.rule_storage_leaf"),
    unbind_driver("usb", "uas", normal, "quiesce.rule_storage_leaf"),
    unbind_driver("mmc", "mmcblk", normal, "quiesce.rule_storage_leaf"),

    // Platform devices: sysfs does not say which of them do DMA, so these are named.
    unbind_driver("platform", "virtio-mmio", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "xhci-hcd", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "ehci-platform", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "ohci-platform", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "dwc3*", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "dwc2", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "sdhci*", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "dwmmc*", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "macb", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "stmmac*", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "*dwmac*", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "fec", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "mvneta", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "mvpp2", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "bcmgenet", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "xgene-enet", normal, "quiesce.rule_platform_dma"),
    unbind_driver("platform", "hns*", normal, "quiesce.rule_platform_dma"),
    follow_bus("platform", "quiesce.rule_platform_unlisted"),

    follow_bus("*", "quiesce.rule_goes_with_parent"),
};

}  // namespace

std::span<const Rule> default_rules() {
    return rules;
}

}  // namespace stillboot::quiesce
