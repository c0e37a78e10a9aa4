// SPDX-License-Identifier: Apache-2.0
// Reading just enough of four on-disk formats to see an unreplayed journal.
#include "daemon/probe/journal.hpp"

#include <endian.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

namespace stillboot::probe {
namespace {

template <std::size_t N>
using Block = std::array<unsigned char, N>;

template <std::size_t N>
bool read_at(int fd, std::uint64_t offset, Block<N>& block) {
    return offset < (std::uint64_t{1} << 62) &&
           ::pread(fd, block.data(), N, static_cast<off_t>(offset)) == static_cast<ssize_t>(N);
}

std::uint32_t le32(const unsigned char* at) {
    std::uint32_t raw = 0;
    std::memcpy(&raw, at, sizeof raw);
    return le32toh(raw);
}

std::uint64_t le64(const unsigned char* at) {
    std::uint64_t raw = 0;
    std::memcpy(&raw, at, sizeof raw);
    return le64toh(raw);
}

std::uint32_t be32(const unsigned char* at) {
    std::uint32_t raw = 0;
    std::memcpy(&raw, at, sizeof raw);
    return be32toh(raw);
}

std::uint64_t be64(const unsigned char* at) {
    std::uint64_t raw = 0;
    std::memcpy(&raw, at, sizeof raw);
    return be64toh(raw);
}

bool ext_pending(int fd) {
    constexpr std::uint32_t incompat_recover = 0x4;
    Block<1024> super;
    return read_at(fd, 1024, super) && (le32(&super[0x60]) & incompat_recover) != 0;
}

bool btrfs_pending(int fd) {
    Block<512> super;
    return read_at(fd, 65536, super) && le64(&super[0x60]) != 0;  // log_root
}

bool f2fs_pending(int fd) {
    constexpr std::uint32_t umount_flag = 0x1;
    Block<256> super;
    if (!read_at(fd, 1024, super) || le32(&super[16]) != 12) {
        return false;
    }
    const std::uint64_t first = std::uint64_t{le32(&super[76])} << 12;
    const std::uint64_t second = first + (std::uint64_t{4096} << (le32(&super[20]) & 31));
    Block<256> one;
    Block<256> two;
    if (!read_at(fd, first, one) || !read_at(fd, second, two)) {
        return false;
    }
    const auto& newer = le64(&two[0]) > le64(&one[0]) ? two : one;
    return (le32(&newer[132]) & umount_flag) == 0;
}

// The log of an xfs, in blocks of 512 bytes. Each block begins with the number of the cycle that wrote it, but a
// record's header, which begins with a magic number and holds the cycle after it.
class XfsLog {
public:
    static std::optional<XfsLog> find(int fd) {
        Block<512> super;
        if (!read_at(fd, 0, super) || std::memcmp(super.data(), "XFSB", 4) != 0) {
            return std::nullopt;
        }
        const std::uint32_t block_log = super[120];
        const std::uint32_t group_log = super[124];
        const std::uint64_t start = be64(&super[48]);
        const std::uint64_t blocks = be32(&super[96]);
        if (start == 0 || block_log < 9 || block_log > 16 || group_log > 31) {
            return std::nullopt;  // start 0: the log is on another device
        }
        const std::uint64_t group = start >> group_log;
        const std::uint64_t within = start & ((std::uint64_t{1} << group_log) - 1);
        const std::uint64_t first = group * be32(&super[84]) + within;
        return XfsLog(fd, first << block_log, (blocks << block_log) / 512);
    }

    // Clean is a log whose last record, the one before the head, is a single unmount operation.
    [[nodiscard]] bool pending() const {
        const std::uint64_t at_head = head();
        constexpr std::uint64_t longest_record = 2 * 1024;  // blocks: more than 256 KiB of data and headers
        for (std::uint64_t back = 1; back <= longest_record && back <= blocks_; ++back) {
            Block<512> record;
            const std::uint64_t at = (at_head + blocks_ - back) % blocks_;
            if (!read_at(fd_, offset_ + at * 512, record)) {
                return false;
            }
            if (be32(record.data()) == header_magic) {
                return be32(&record[40]) != 1 || !unmounts((at + header_blocks(record)) % blocks_);
            }
        }
        return false;
    }

private:
    static constexpr std::uint32_t header_magic = 0xFEEDBABE;

    XfsLog(int fd, std::uint64_t offset, std::uint64_t blocks) : fd_(fd), offset_(offset), blocks_(blocks) {}

    static std::uint64_t header_blocks(const Block<512>& record) {
        const std::uint64_t buffer_bytes = be32(&record[320]);
        return be32(&record[8]) >= 2 && buffer_bytes > 32768 ? (buffer_bytes + 32767) / 32768 : 1;
    }

    [[nodiscard]] bool unmounts(std::uint64_t block) const {
        constexpr unsigned char unmount_flag = 0x20;
        Block<512> operation;
        return read_at(fd_, offset_ + block * 512, operation) && (operation[9] & unmount_flag) != 0;
    }

    [[nodiscard]] std::uint32_t cycle(std::uint64_t block) const {
        Block<512> data = {};
        if (!read_at(fd_, offset_ + block * 512, data)) {
            return 0;
        }
        return be32(data.data()) == header_magic ? be32(&data[4]) : be32(data.data());
    }

    // The first block whose cycle is not that of block 0: cycles never grow from one block to the next.
    [[nodiscard]] std::uint64_t head() const {
        const std::uint32_t first = cycle(0);
        std::uint64_t low = 0;
        std::uint64_t high = blocks_;
        while (high - low > 1) {
            const std::uint64_t middle = low + (high - low) / 2;
            (cycle(middle) == first ? low : high) = middle;
        }
        return high % blocks_;
    }

    int fd_;
    std::uint64_t offset_;
    std::uint64_t blocks_;
};

bool xfs_pending(int fd) {
    const auto log = XfsLog::find(fd);
    return log && log->pending();
}

}  // namespace

bool journal_pending(int fd, std::string_view type) {
    if (type == "ext4") {
        return ext_pending(fd);
    }
    if (type == "xfs") {
        return xfs_pending(fd);
    }
    if (type == "btrfs") {
        return btrfs_pending(fd);
    }
    return type == "f2fs" && f2fs_pending(fd);
}

}  // namespace stillboot::probe
