# SPDX-License-Identifier: Apache-2.0
"""The kinds of device that one machine can hold at once, as QEMU's arguments."""

# Each with a disk image; {id} is its drive.
DISKS = {
    "nvme": "nvme,drive={id},serial={id}",
    "ahci": "ide-hd,drive={id},bus=ide.0,serial={id}",
    "megasas": "megasas,id=megasas;scsi-hd,drive={id},bus=megasas.0,serial={id}",
    # mptsas passes over a disk that has no WWN.
    "mptsas": "mptsas1068,id=mptsas;scsi-hd,drive={id},bus=mptsas.0,serial={id},wwn=0x5000c50015ea71aa",
    "lsi53c895a": "lsi53c895a,id=lsi;scsi-hd,drive={id},bus=lsi.0,serial={id}",
    "pvscsi": "pvscsi,id=pvscsi;scsi-hd,drive={id},bus=pvscsi.0,serial={id}",
    # No am53c974: its driver asks for its interrupt before it is ready for one, and now and then takes the kernel with
    # it while it is probed (drivers/scsi/am53c974.c, pci_esp_probe_one).
    "virtio-blk": "virtio-blk-pci,drive={id},serial={id}",
    "virtio-scsi": "scsi-hd,drive={id},bus=scsi0.0,serial={id}",
    "usb": "usb-storage,drive={id},bus=xhci.0,removable=on,serial={id}",
    "sdhci": "sdhci-pci;sd-card,drive={id}",
}
NICS = ["e1000", "e1000e", "rtl8139", "pcnet", "vmxnet3", "i82559er", "tulip", "virtio-net-pci", "ne2k_pci"]
OTHERS = ["usb-ehci", "piix3-usb-uhci", "pci-ohci", "intel-hda", "AC97,audiodev=snd0", "virtio-rng-pci",
          "virtio-balloon-pci", "virtio-gpu-pci", "bochs-display", "virtio-serial-pci", "i6300esb"]


def arguments(images, nics=NICS):
    """QEMU's arguments of all kinds; images: [(path, kind of DISKS)]."""
    words = ["-audiodev", "none,id=snd0"]
    for number, (path, kind) in enumerate(images):
        name = f"kind{number}"
        words += ["-drive", f"if=none,id={name},format=raw,file={path},cache=unsafe"]
        for device in DISKS[kind].format(id=name).split(";"):
            words += ["-device", device]
    for number, model in enumerate(nics):
        words += ["-netdev", f"user,id=net{number},restrict=on",
                  "-device", f"{model},netdev=net{number},romfile=,mac=52:54:00:00:01:{number:02x}"]
    for device in OTHERS:
        words += ["-device", device]
    return words
