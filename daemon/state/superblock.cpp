// SPDX-License-Identifier: Apache-2.0
// Labels and UUIDs of the two kinds of file systems that a state store may have.
#include "daemon/state/superblock.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace stillboot::state {
namespace {

std::string bytes_at(int fd, std::uint64_t offset, std::size_t count) {
    std::string bytes(count, '\0');
    const ssize_t got = ::pread(fd, bytes.data(), count, static_cast<off_t>(offset));
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
        value = (value << 8U) | static_cast<unsigned char>(bytes[at + i]);
    }
    return value;
}

std::string trimmed(std::string_view text) {
    const std::string_view whole = text.substr(0, text.find('\0'));
    return std::string(whole.substr(0, whole.find_last_not_of(' ') + 1));
}

/// Where FAT's root directory begins, and how much of it lies there in one piece.
struct RootDirectory {
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
};

RootDirectory root_directory_of(std::string_view boot, bool is_fat32) {
    const std::uint64_t sector = number_at(boot, 11, 2);
    const std::uint64_t cluster = sector * number_at(boot, 13, 1);
    const std::uint64_t tables = number_at(boot, 16, 1);
    const std::uint64_t reserved = sector * number_at(boot, 14, 2);
    if (!is_fat32) {
        return {reserved + tables * number_at(boot, 22, 2) * sector, number_at(boot, 17, 2) * std::size_t{32}};
    }
    const std::uint64_t first = std::max<std::uint32_t>(number_at(boot, 44, 4), 2) - 2;
    return {reserved + tables * number_at(boot, 36, 4) * sector + first * cluster,
            static_cast<std::size_t>(cluster)};
}

// The entry in the root directory is what counts: some tools write that one alone.
std::string fat_label(int fd, std::string_view boot, bool is_fat32) {
    constexpr std::size_t entry_bytes = 32;
    const RootDirectory root = root_directory_of(boot, is_fat32);
    const std::string entries = bytes_at(fd, root.offset, root.bytes);
    for (std::size_t at = 0; at + entry_bytes <= entries.size() && entries[at] != '\0'; at += entry_bytes) {
        const unsigned attributes = number_at(entries, at + 11, 1);
        const bool is_deleted = entries[at] == '\xE5';
        if (!is_deleted && (attributes & 0x18U) == 0x08U && attributes != 0x0FU) {
            return trimmed(std::string_view(entries).substr(at, 11));
        }
    }
    return trimmed(boot.substr(is_fat32 ? 71 : 43, 11));
}

std::optional<Superblock> read_fat(int fd) {
    const std::string boot = bytes_at(fd, 0, 512);
    if (boot.size() != 512 || !boot.ends_with("\x55\xAA")) {
        return std::nullopt;
    }
    const std::string_view view = boot;
    const bool is_fat32 = view.substr(82, 5) == "FAT32";
    if (!is_fat32 && view.substr(54, 3) != "FAT") {
        return std::nullopt;
    }
    return Superblock{"vfat", fat_label(fd, view, is_fat32), boot.substr(is_fat32 ? 67 : 39, 4)};
}

std::optional<Superblock> read_ext(int fd) {
    const std::string block = bytes_at(fd, 1024, 1024);
    if (block.size() != 1024 || number_at(block, 0x38, 2) != 0xEF53) {
        return std::nullopt;
    }
    return Superblock{"ext4", trimmed(std::string_view(block).substr(0x78, 16)), block.substr(0x68, 16)};
}

}  // namespace

std::optional<Superblock> read_superblock(int fd) {
    auto found = read_fat(fd);
    return found ? found : read_ext(fd);
}

}  // namespace stillboot::state
