// SPDX-License-Identifier: Apache-2.0
// Reading and writing files of efivarfs.
#include "daemon/platform/efi_variables.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace stillboot::platform {
namespace {

// EFI_VARIABLE_NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS, little-endian as on every EFI machine.
constexpr std::string_view kept{"\7\0\0\0", 4};

std::string file_of(std::string_view name, std::string_view vendor) {
    return std::string(name) + "-" + std::string(vendor);
}

/// efivarfs makes the variables that it does not know immutable, so that `rm -r` does not destroy a machine:
/// lifted for a change, and put back.
class Mutable {
public:
    Mutable(int directory, const std::string& file)
        : file_(::openat(directory, file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
        if (file_ && ::ioctl(file_.get(), FS_IOC_GETFLAGS, &flags_) == 0 && (flags_ & FS_IMMUTABLE_FL) != 0) {
            const int without = flags_ & ~FS_IMMUTABLE_FL;
            lifted_ = ::ioctl(file_.get(), FS_IOC_SETFLAGS, &without) == 0;
        }
    }
    Mutable(const Mutable&) = delete;
    Mutable& operator=(const Mutable&) = delete;
    ~Mutable() {
        if (lifted_) {
            ::ioctl(file_.get(), FS_IOC_SETFLAGS, &flags_);
        }
    }

private:
    UniqueFd file_;
    int flags_ = 0;
    bool lifted_ = false;
};

}  // namespace

// The mount point is there before anything is mounted on it; what is mounted holds variables, on every machine.
std::optional<EfiVariables> EfiVariables::open(const Root& root) {
    const auto names = root.list(directory);
    if (!names || names->empty()) {
        return std::nullopt;
    }
    auto opened = root.open_file(directory, O_RDONLY | O_DIRECTORY);
    if (!opened || ::faccessat(opened->get(), ".", W_OK, AT_EACCESS) != 0) {
        return std::nullopt;
    }
    return EfiVariables(std::move(*opened));
}

Result<std::optional<std::string>> EfiVariables::read(std::string_view name, std::string_view vendor) const {
    const UniqueFd file(
        ::openat(directory_.get(), file_of(name, vendor).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file && errno == ENOENT) {
        return std::optional<std::string>();
    }
    std::string bytes(max_bytes, '\0');
    const ssize_t count = file ? ::read(file.get(), bytes.data(), bytes.size()) : -1;
    if (count < 0) {
        return Error::from_errno(errno, "platform.read_failed", {{"variable", name}});
    }
    if (count == 0) {
        return std::optional<std::string>();  // made, and never written
    }
    bytes.resize(static_cast<std::size_t>(count));
    return std::optional(bytes.size() < kept.size() ? bytes : bytes.substr(kept.size()));
}

Result<void> EfiVariables::write(std::string_view name, std::string_view vendor, std::string_view data) const {
    const std::string path = file_of(name, vendor);
    const Mutable mutable_file(directory_.get(), path);
    const std::string bytes = std::string(kept) + std::string(data);
    const UniqueFd file(
        ::openat(directory_.get(), path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    const ssize_t count = file ? ::write(file.get(), bytes.data(), bytes.size()) : -1;
    if (count == static_cast<ssize_t>(bytes.size())) {
        return {};
    }
    return Error::from_errno(count >= 0 ? ENOSPC : errno, "platform.write_failed", {{"variable", name}});
}

Result<void> EfiVariables::remove(std::string_view name, std::string_view vendor) const {
    const std::string path = file_of(name, vendor);
    const Mutable mutable_file(directory_.get(), path);
    if (::unlinkat(directory_.get(), path.c_str(), 0) == 0 || errno == ENOENT) {
        return {};
    }
    return Error::from_errno(errno, "platform.write_failed", {{"variable", name}});
}

}  // namespace stillboot::platform
