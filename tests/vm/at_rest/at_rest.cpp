// SPDX-License-Identifier: Apache-2.0
// Reads, before any driver loads, whether each PCI device is still at work: its own registers, not our word.
//
// Prints one line a device: "AT-REST <address> <kind> armed|idle|unknown master=<0|1> <register>".
// A kind is armed while its own run or enable bits are set, that is, while it may fetch or store by DMA.
// Devices are read through sysfs: `config`, and `resourceN` (mapped for memory, pread/pwrite for I/O ports).
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr std::uint32_t bus_master_bit = 1U << 2;
constexpr std::uint32_t decode_bits = 3;  // I/O and memory space enable

struct Reading {
    enum class State { idle, armed, unknown };
    State state = State::unknown;
    std::string detail;
};

std::string format(const char* text, std::uint32_t value) {
    char line[96];
    std::snprintf(line, sizeof line, text, value);
    return line;
}

Reading judge(bool armed, const char* text, std::uint32_t value) {
    return {armed ? Reading::State::armed : Reading::State::idle, format(text, value)};
}

/// One BAR of a device, read with accesses of a given width, as many registers allow no other.
class Bar {
public:
    Bar(const std::string& device, int number) {
        const std::string path = device + "/resource" + std::to_string(number);
        fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        struct stat info = {};
        if (fd_ < 0 || ::fstat(fd_, &info) != 0) {
            return;
        }
        size_ = static_cast<std::size_t>(info.st_size);
        void* mapped = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
        memory_ = mapped == MAP_FAILED ? nullptr : static_cast<volatile std::uint8_t*>(mapped);
    }
    Bar(const Bar&) = delete;
    Bar& operator=(const Bar&) = delete;
    ~Bar() {
        if (memory_ != nullptr) {
            ::munmap(const_cast<std::uint8_t*>(memory_), size_);
        }
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }

    [[nodiscard]] bool ok() const { return fd_ >= 0; }

    template <class T>
    [[nodiscard]] T read(std::size_t offset) const {
        T value = static_cast<T>(~T{0});
        if (memory_ != nullptr && offset + sizeof value <= size_) {
            value = *reinterpret_cast<const volatile T*>(memory_ + offset);
        } else if (fd_ >= 0 && ::pread(fd_, &value, sizeof value, static_cast<off_t>(offset)) != sizeof value) {
            value = static_cast<T>(~T{0});
        }
        return value;
    }
    template <class T>
    void write(std::size_t offset, T value) const {
        if (memory_ != nullptr) {
            *reinterpret_cast<volatile T*>(memory_ + offset) = value;
        } else if (::pwrite(fd_, &value, sizeof value, static_cast<off_t>(offset)) != sizeof value) {
            std::perror("at_rest: writing a register index");
        }
    }

private:
    int fd_ = -1;
    std::size_t size_ = 0;
    volatile std::uint8_t* memory_ = nullptr;
};

struct Device {
    std::string path;
    std::string address;
    std::uint8_t config[256] = {};

    template <class T>
    [[nodiscard]] T at(std::size_t offset) const {
        T value = 0;
        std::memcpy(&value, config + offset, sizeof value);
        return value;
    }
    [[nodiscard]] std::uint32_t id() const { return at<std::uint32_t>(0); }  // device << 16 | vendor
    [[nodiscard]] std::uint32_t class_code() const { return at<std::uint32_t>(8) >> 8; }
    [[nodiscard]] std::uint16_t command() const { return at<std::uint16_t>(4); }
};

Reading nvme(const Device& device) {
    const Bar bar(device.path, 0);
    const auto configuration = bar.read<std::uint32_t>(0x14);
    const bool shut_down = (bar.read<std::uint32_t>(0x1c) >> 2 & 3) == 2;
    return judge((configuration & 1) != 0 && !shut_down, "CC=%08x", configuration);
}

Reading ahci(const Device& device) {
    const Bar bar(device.path, 5);
    const auto ports = bar.read<std::uint32_t>(0x0c);
    std::uint32_t running = 0;
    for (std::uint32_t port = 0; port < 32; ++port) {
        constexpr std::uint32_t start_and_fis_receive = 0x11;
        if ((ports >> port & 1) != 0 &&
            (bar.read<std::uint32_t>(0x118 + port * 0x80) & start_and_fis_receive) != 0) {
            running |= 1U << port;
        }
    }
    return judge(running != 0, "ports running=%08x", running);
}

Reading capability_host(const Device& device) {  // xHCI and EHCI: the operational registers follow CAPLENGTH
    const Bar bar(device.path, 0);
    const auto command = bar.read<std::uint32_t>(bar.read<std::uint8_t>(0));
    return judge((command & 1) != 0, "USBCMD=%08x", command);
}

Reading uhci(const Device& device) {
    const auto command = Bar(device.path, 4).read<std::uint16_t>(0);
    return judge((command & 1) != 0, "USBCMD=%04x", command);
}

Reading ohci(const Device& device) {
    const auto control = Bar(device.path, 0).read<std::uint32_t>(4);
    return judge((control >> 6 & 3) == 2, "HcControl=%08x", control);
}

Reading e1000(const Device& device) {
    const Bar bar(device.path, 0);
    const auto receive = bar.read<std::uint32_t>(0x100);
    const auto transmit = bar.read<std::uint32_t>(0x400);
    return judge(((receive | transmit) & 2) != 0, "RCTL=%08x", receive);
}

Reading rtl8139(const Device& device) {
    const auto command = Bar(device.path, 1).read<std::uint8_t>(0x37);
    return judge((command & 0x0c) != 0, "CR=%02x", command);
}

Reading pcnet(const Device& device) {
    const Bar bar(device.path, 0);
    bar.write<std::uint16_t>(0x12, 0);  // register address port: CSR0
    const auto csr0 = bar.read<std::uint16_t>(0x10);
    const bool stopped = (csr0 & 0x04) != 0;
    return judge((csr0 & 0x32) != 0 && !stopped, "CSR0=%04x", csr0);  // RXON, TXON, STRT
}

Reading i8255x(const Device& device) {
    const auto status = Bar(device.path, 0).read<std::uint16_t>(0);
    return judge((status >> 2 & 0xf) == 4, "SCB status=%04x", status);  // receive unit ready
}

Reading tulip(const Device& device) {
    const auto csr6 = Bar(device.path, 1).read<std::uint32_t>(0x30);
    return judge((csr6 & 0x2002) != 0, "CSR6=%08x", csr6);  // start receive, start transmit
}

Reading ne2000(const Device& device) {
    const auto command = Bar(device.path, 0).read<std::uint8_t>(0);
    return {Reading::State::idle, format("CR=%02x (no DMA)", command)};
}

Reading hda(const Device& device) {
    const Bar bar(device.path, 0);
    const auto corb = bar.read<std::uint8_t>(0x4c);
    const auto rirb = bar.read<std::uint8_t>(0x5c);
    return judge(((corb | rirb) & 2) != 0, "CORBCTL=%02x", corb);
}

Reading sdhci(const Device& device) {
    const Bar bar(device.path, 0);
    const auto clock = bar.read<std::uint16_t>(0x2c);
    const auto power = bar.read<std::uint8_t>(0x29);
    return judge((clock & 4) != 0 && (power & 1) != 0, "clock=%04x", clock);
}

Reading mptsas(const Device& device) {
    const auto doorbell = Bar(device.path, 1).read<std::uint32_t>(0);
    return judge(doorbell >> 28 == 2, "doorbell=%08x", doorbell);  // 2: operational
}

Reading megasas(const Device& device) {
    const auto state = Bar(device.path, 0).read<std::uint32_t>(0xb0);
    return judge(state >> 28 == 0xc, "scratch pad=%08x", state);  // 0xc: operational
}

// Virtio 1.x, 4.1.4: vendor capability of type 1 names the BAR and offset of the common configuration,
// whose byte 0x14 is the device status; bit 2 is DRIVER_OK.
Reading virtio(const Device& device) {
    std::size_t at = device.config[0x34] & 0xfcU;
    for (int guard = 0; at >= 0x40 && at <= 0xf0 && guard < 48; ++guard, at = device.config[at + 1] & 0xfcU) {
        if (device.config[at] == 0x09 && device.config[at + 3] == 1) {
            const auto offset = device.at<std::uint32_t>(at + 8);
            const auto status = Bar(device.path, device.config[at + 4]).read<std::uint8_t>(offset + 0x14);
            return judge((status & 4) != 0, "status=%02x", status);
        }
    }
    return {Reading::State::unknown, "no common configuration"};
}

struct Kind {
    std::uint32_t match;
    bool by_class;  ///< match is a class code, else device << 16 | vendor
    const char* name;
    Reading (*read)(const Device&);
};

constexpr Kind kinds[] = {
    {0x010802, true, "nvme", nvme},
    {0x010601, true, "ahci", ahci},
    {0x0c0330, true, "xhci", capability_host},
    {0x0c0320, true, "ehci", capability_host},
    {0x0c0300, true, "uhci", uhci},
    {0x0c0310, true, "ohci", ohci},
    {0x080501, true, "sdhci", sdhci},
    {0x040300, true, "hda", hda},
    {0x100e8086, false, "e1000", e1000},
    {0x10d38086, false, "e1000e", e1000},
    {0x813910ec, false, "rtl8139", rtl8139},
    {0x20001022, false, "pcnet", pcnet},
    {0x12098086, false, "i82559er", i8255x},
    {0x00191011, false, "tulip", tulip},
    {0x802910ec, false, "ne2000", ne2000},
    {0x00541000, false, "mptsas", mptsas},
    {0x00601000, false, "megasas", megasas},
    {0x10001af4, false, "virtio-net", virtio},
    {0x10011af4, false, "virtio-blk", virtio},
    {0x10021af4, false, "virtio-balloon", virtio},
    {0x10031af4, false, "virtio-serial", virtio},
    {0x10041af4, false, "virtio-scsi", virtio},
    {0x10051af4, false, "virtio-rng", virtio},
    {0x10411af4, false, "virtio-net", virtio},
    {0x10421af4, false, "virtio-blk", virtio},
    {0x10431af4, false, "virtio-serial", virtio},
    {0x10441af4, false, "virtio-rng", virtio},
    {0x10451af4, false, "virtio-balloon", virtio},
    {0x10481af4, false, "virtio-scsi", virtio},
    {0x10501af4, false, "virtio-gpu", virtio},
};

const Kind* kind_of(const Device& device) {
    const auto* found = std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& kind) {
        return kind.match == (kind.by_class ? device.class_code() : device.id());
    });
    return found == std::end(kinds) ? nullptr : found;
}

bool read_config(Device& device) {
    const int fd = ::open((device.path + "/config").c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t count = fd < 0 ? -1 : ::pread(fd, device.config, sizeof device.config, 0);
    if (fd >= 0) {
        ::close(fd);
    }
    return count >= 64;
}

// A driver's remove may have turned decoding off; without it every register reads as ones. Enabling through
// sysfs turns on decoding only, never bus mastering.
void enable_decode(const Device& device) {
    if ((device.command() & decode_bits) != 0) {
        return;
    }
    const int fd = ::open((device.path + "/enable").c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ::write(fd, "1", 1) != 1) {
        std::perror("at_rest: enable");
    }
    if (fd >= 0) {
        ::close(fd);
    }
}

void report(Device& device) {
    const Kind* kind = kind_of(device);
    if (kind == nullptr) {
        return;
    }
    const bool master = (device.command() & bus_master_bit) != 0;
    enable_decode(device);
    const Reading reading = kind->read(device);
    constexpr const char* words[] = {"idle", "armed", "unknown"};
    std::printf("AT-REST %s %s %s master=%d %s\n", device.address.c_str(), kind->name,
                words[static_cast<int>(reading.state)], master ? 1 : 0, reading.detail.c_str());
}

}  // namespace

int main() {
    const std::string base = "/sys/bus/pci/devices";
    DIR* directory = ::opendir(base.c_str());
    if (directory == nullptr) {
        std::perror(base.c_str());
        return EXIT_FAILURE;
    }
    std::vector<std::string> addresses;
    while (const dirent* entry = ::readdir(directory)) {
        if (entry->d_name[0] != '.') {
            addresses.emplace_back(entry->d_name);
        }
    }
    ::closedir(directory);
    std::sort(addresses.begin(), addresses.end());
    for (const auto& address : addresses) {
        Device device{base + "/" + address, address, {}};
        if (read_config(device)) {
            report(device);
        }
    }
    std::puts("AT-REST end");
    return EXIT_SUCCESS;
}
