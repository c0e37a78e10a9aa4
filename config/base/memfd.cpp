// SPDX-License-Identifier: Apache-2.0
// Sealed memfds.
#include "config/base/memfd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace stillboot {
namespace {

constexpr unsigned memfd_noexec_seal = 0x8;  // MFD_NOEXEC_SEAL, Linux 6.3; older ones answer EINVAL
constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Error memfd_error(int error_number, std::string_view name) {
    return Error::from_errno(error_number, "base.memfd_failed", {{"name", name}});
}

}  // namespace

Result<MemfdWriter> MemfdWriter::create(const std::string& name) {
    UniqueFd fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | memfd_noexec_seal));
    if (!fd && errno == EINVAL) {
        fd = UniqueFd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
    }
    if (!fd) {
        return memfd_error(errno, name);
    }
    return MemfdWriter(std::move(fd), name);
}

Result<void> MemfdWriter::append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd_.get(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return memfd_error(errno, name_);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        size_bytes_ += static_cast<std::uint64_t>(count);
    }
    return {};
}

Result<UniqueFd> MemfdWriter::seal() && {
    if (::fcntl(fd_.get(), F_ADD_SEALS, all_seals) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0) {
        return memfd_error(errno, name_);
    }
    return std::move(fd_);
}

Result<UniqueFd> sealed_memfd(const std::string& name, std::span<const std::byte> bytes) {
    auto writer = MemfdWriter::create(name);
    if (!writer) {
        return writer.error();
    }
    if (auto written = writer->append(bytes); !written) {
        return written.error();
    }
    return std::move(*writer).seal();
}

Result<UniqueFd> sealed_memfd(const std::string& name, std::string_view text) {
    return sealed_memfd(name, std::as_bytes(std::span(text)));
}

Result<MappedMemfd> MappedMemfd::map(int fd, std::string_view name) {
    constexpr int needed = F_SEAL_SHRINK | F_SEAL_WRITE;
    const int seals = ::fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & needed) != needed) {
        return Error("base.memfd_not_sealed", {{"name", name}});
    }
    struct stat info = {};
    if (::fstat(fd, &info) != 0) {
        return memfd_error(errno, name);
    }
    const auto size = static_cast<std::size_t>(info.st_size);
    if (size == 0) {
        return MappedMemfd({});
    }
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (start == MAP_FAILED) {
        return memfd_error(errno, name);
    }
    return MappedMemfd({static_cast<const std::byte*>(start), size});
}

MappedMemfd::MappedMemfd(MappedMemfd&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedMemfd& MappedMemfd::operator=(MappedMemfd&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

MappedMemfd::~MappedMemfd() {
    if (!bytes_.empty()) {
        ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    }
}

}  // namespace stillboot
