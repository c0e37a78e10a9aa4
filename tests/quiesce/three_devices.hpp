// SPDX-License-Identifier: Apache-2.0
// The machine that is unbound and put back in the tests of the executor, the undo and the record.
#pragma once

#include <filesystem>
#include <string>

#include "quiesce/plan.hpp"
#include "tests/quiesce/fake_machine.hpp"

namespace stillboot::quiesce::test {

inline const std::string slot1 = "/sys/devices/pci0000:00/0000:00:01.0";
inline const std::string slot2 = "/sys/devices/pci0000:00/0000:00:02.0";
inline const std::string slot3 = "/sys/devices/pci0000:00/0000:00:03.0";
inline const std::string virtio = slot3 + "/virtio0";

/// An NVMe disk, a network card, a virtio disk whose child goes and comes with its function.
struct World : FakeWorld {
    World() {
        machine.pci(slot1, "0x010802", "nvme");
        machine.disk(slot1 + "/nvme/nvme0/nvme0n1", "259:0", "eui.1");
        machine.pci(slot2, "0x020000", "e1000");
        machine.interface(slot2 + "/net/eth0", "52:54:00:00:00:01");
        machine.pci(slot3, "0x010000", "virtio-pci");
        add_virtio("virtio0", "vda");
        kernel.on_unbind = [this](const std::string& path) { unbound(path); };
        kernel.on_bind = [this](const std::string& path) { bound(path); };
    }

    void add_virtio(const std::string& name, const std::string& disk_name) {
        machine.device(slot3 + "/" + name, "virtio", "virtio_blk");
        machine.disk(slot3 + "/" + name + "/block/" + disk_name, "254:0", "vd-1");
        file_of_disk_ = disk_name;
    }

    void remove(const std::string& path) const { std::filesystem::remove_all(machine.real(path)); }

    void unbound(const std::string& path) {
        if (path == slot1) {
            remove(slot1 + "/nvme");
            remove("/sys/class/block/nvme0n1");
        } else if (path == slot2) {
            remove(slot2 + "/net");
            remove("/sys/class/net/eth0");
        } else if (path.starts_with(virtio)) {
            remove(path + "/block");
            remove("/sys/class/block/" + file_of_disk_);
        } else if (path == slot3) {
            remove(virtio);
            remove("/sys/bus/virtio/devices/virtio0");
        }
    }

    void bound(const std::string& path) {
        if (path == slot1) {
            machine.disk(slot1 + "/nvme/nvme0/nvme0n1", "259:0", "eui.1");
        } else if (path == slot2) {
            machine.interface(slot2 + "/net/eth0", "52:54:00:00:00:01");
            machine.file(slot2 + "/net/eth0/flags", "0x1002");
            machine.file(slot2 + "/net/eth0/carrier", "0");
        } else if (path.starts_with(virtio)) {
            machine.disk(virtio + "/block/vda", "254:0", "vd-1");
        } else if (path == slot3 && machine.text("/sys/bus/virtio/drivers_autoprobe") == "1") {
            add_virtio(name_after_rebind, "vdb");
        } else if (path == slot3) {
            machine.device(slot3 + "/" + name_after_rebind, "virtio");
        }
    }

    [[nodiscard]] Plan plan() const { return make_plan(machine.inventory(), {}); }

    [[nodiscard]] bool everything_is_there() const {
        const Inventory now = machine.inventory();
        const auto bound_to = [&](const std::string& path, const std::string& driver) {
            const auto found = now.devices.find(path);
            return found != now.devices.end() && found->second.driver == driver;
        };
        return bound_to(slot1, "nvme") && bound_to(slot2, "e1000") && bound_to(slot3, "virtio-pci") &&
               (bound_to(virtio, "virtio_blk") || bound_to(slot3 + "/" + name_after_rebind, "virtio_blk")) &&
               now.blocks.size() == 2 && now.interfaces.size() == 1 && now.interfaces.front().up &&
               machine.text("/sys/bus/pci/drivers_autoprobe") == "1" &&
               machine.text("/sys/bus/virtio/drivers_autoprobe") == "1" &&
               machine.text("/proc/sys/kernel/printk_devkmsg") == "ratelimit";
    }

    std::string name_after_rebind = "virtio7";

private:
    std::string file_of_disk_;
};

}  // namespace stillboot::quiesce::test
