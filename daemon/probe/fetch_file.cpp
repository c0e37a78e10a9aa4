// SPDX-License-Identifier: Apache-2.0
// The copy loop of stillboot-fetch.
#include "daemon/probe/fetch_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <vector>

#include "config/base/memfd.hpp"
#include "config/base/root.hpp"

namespace stillboot::probe {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

Result<std::uint64_t> acceptable_size(int file, const std::string& name, const CopyLimits& limits) {
    struct stat info = {};
    if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        return Error("base.not_a_file", {{"path", name}});
    }
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size > limits.max_bytes) {
        return Error("base.file_too_large", {{"path", name}, {"limit_bytes", limits.max_bytes}});
    }
    if (size > limits.available_bytes) {
        return Error("probe.not_enough_memory",
                     {{"path", name}, {"size_bytes", size}, {"available_bytes", limits.available_bytes}});
    }
    return size;
}

}  // namespace

Result<UniqueFd> copy_to_memfd(int file, const std::string& name, const CopyLimits& limits,
                               const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    auto size = acceptable_size(file, name, limits);
    if (!size) {
        return size.error();
    }
    auto writer = MemfdWriter::create(name.substr(0, 200));
    if (!writer) {
        return writer.error();
    }
    std::vector<std::byte> chunk(chunk_bytes);
    for (;;) {
        const ssize_t count = ::read(file, chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return Error::from_errno(errno, "base.read_failed", {{"path", name}});
        }
        const std::uint64_t done = writer->size_bytes() + static_cast<std::uint64_t>(count);
        if (count == 0 || done > *size) {
            break;
        }
        if (auto written = writer->append(std::span(chunk.data(), static_cast<std::size_t>(count))); !written) {
            return written.error();
        }
        progress(done, *size);
    }
    if (writer->size_bytes() != *size) {
        return Error("probe.fetched_short",
                     {{"path", name}, {"got_bytes", writer->size_bytes()}, {"size_bytes", *size}});
    }
    return std::move(*writer).seal();
}

std::uint64_t available_memory_bytes() {
    auto proc = Root::open("/proc");
    auto text = proc ? proc->read_attribute("meminfo") : Result<std::string>(proc.error());
    constexpr std::string_view key = "MemAvailable:";
    const std::size_t at = text ? text->find(key) : std::string::npos;
    if (at == std::string::npos) {
        return 0;
    }
    const std::size_t digits = std::min(text->find_first_not_of(' ', at + key.size()), text->size());
    std::uint64_t kibibytes = 0;
    std::from_chars(text->data() + digits, text->data() + text->size(), kibibytes);
    return kibibytes * 1024;
}

}  // namespace stillboot::probe
