// SPDX-License-Identifier: Apache-2.0
// Path access below a directory descriptor, by openat2(2).
#include "config/base/root.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace stillboot {
namespace {

constexpr std::size_t max_attribute_bytes = 64 * 1024;

int open_in_root(int directory, const std::string& path, int flags, mode_t mode) {
    struct open_how how = {};
    how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
    how.mode = mode;
    // No magic links: /proc/self/fd on a disk image's tree must not reach our own descriptors.
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    long fd = -1;
    do {
        fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
    } while (fd < 0 && (errno == EINTR || errno == EAGAIN));  // EAGAIN: a rename raced with the look-up
    return static_cast<int>(fd);
}

std::string or_dot(std::string_view path) {
    return path.empty() ? std::string(".") : std::string(path);
}

std::pair<std::string, std::string> split_last(std::string_view path) {
    while (path.size() > 1 && path.back() == '/') {
        path.remove_suffix(1);
    }
    const std::size_t slash = path.rfind('/');
    if (slash == path.npos) {
        return {".", std::string(path)};
    }
    return {slash == 0 ? "/" : std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

}  // namespace

Result<Root> Root::open(const std::string& directory) {
    UniqueFd fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        return Error::from_errno(errno, "base.open_failed", {{"path", directory}});
    }
    return Root(std::move(fd));
}

Result<UniqueFd> Root::open_file(std::string_view path, int flags, mode_t mode) const {
    UniqueFd fd(open_in_root(directory_.get(), or_dot(path), flags, mode));
    if (!fd) {
        return Error::from_errno(errno, "base.open_failed", {{"path", path}});
    }
    return fd;
}

Result<std::string> Root::read_file(std::string_view path, std::size_t max_bytes) const {
    // O_NONBLOCK: a FIFO on an untrusted disk must not make us wait.
    auto fd = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd) {
        return fd.error();
    }
    struct stat info = {};
    if (::fstat(fd->get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return Error("base.not_a_file", {{"path", path}});
    }
    return read_all(fd->get(), max_bytes, path);
}

Result<std::string> Root::read_attribute(std::string_view path) const {
    auto text = read_file(path, max_attribute_bytes);
    if (!text) {
        return text;
    }
    const std::size_t last = text->find_last_not_of(" \t\r\n");
    text->resize(last == text->npos ? 0 : last + 1);
    return text;
}

Result<void> Root::write_attribute(std::string_view path, std::string_view text) const {
    auto fd = open_file(path, O_WRONLY | O_NOCTTY);
    if (!fd) {
        return fd.error();
    }
    ssize_t written = -1;
    do {
        written = ::write(fd->get(), text.data(), text.size());
    } while (written < 0 && errno == EINTR);
    if (written != static_cast<ssize_t>(text.size())) {
        return Error::from_errno(written < 0 ? errno : EIO, "base.write_failed", {{"path", path}});
    }
    return {};
}

Result<void> Root::replace_file(std::string_view path, std::string_view text, mode_t mode) const {
    const auto [parent, name] = split_last(path);
    auto directory = open_file(parent, O_PATH | O_DIRECTORY);
    if (!directory) {
        return directory.error();
    }
    const std::string temporary = "." + name + ".new";
    UniqueFd fd(::openat(directory->get(), temporary.c_str(),
                         O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!fd) {
        return Error::from_errno(errno, "base.write_failed", {{"path", path}});
    }
    if (auto written = write_all(fd.get(), text, path); !written) {
        return written.error();
    }
    if (::fsync(fd.get()) != 0 ||
        ::renameat(directory->get(), temporary.c_str(), directory->get(), name.c_str()) != 0) {
        return Error::from_errno(errno, "base.write_failed", {{"path", path}});
    }
    return {};
}

Result<void> Root::make_directories(std::string_view path) const {
    std::size_t at = 0;
    while (at < path.size()) {
        const std::size_t slash = std::min(path.find('/', at + 1), path.size());
        const auto [parent, name] = split_last(path.substr(0, slash));
        auto directory = open_file(parent, O_PATH | O_DIRECTORY);
        if (!directory) {
            return directory.error();
        }
        if (!name.empty() && ::mkdirat(directory->get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
            return Error::from_errno(errno, "base.write_failed", {{"path", path}});
        }
        at = slash;
    }
    return {};
}

Result<void> Root::remove_file(std::string_view path) const {
    const auto [parent, name] = split_last(path);
    auto directory = open_file(parent, O_PATH | O_DIRECTORY);
    if (!directory) {
        return directory.error();
    }
    if (::unlinkat(directory->get(), name.c_str(), 0) != 0) {
        return Error::from_errno(errno, "base.write_failed", {{"path", path}});
    }
    return {};
}

Result<std::vector<std::string>> Root::list(std::string_view path) const {
    auto fd = open_file(path, O_RDONLY | O_DIRECTORY);
    if (!fd) {
        return fd.error();
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd->get()), ::closedir);
    if (!directory) {
        return Error::from_errno(errno, "base.open_failed", {{"path", path}});
    }
    (void)fd->release();  // closedir closes it
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    if (errno != 0) {
        return Error::from_errno(errno, "base.read_failed", {{"path", path}});
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<std::string> Root::read_link(std::string_view path) const {
    const auto [parent, name] = split_last(path);
    auto directory = open_file(parent, O_PATH | O_DIRECTORY);
    if (!directory) {
        return directory.error();
    }
    std::array<char, 4096> target = {};
    const ssize_t length = ::readlinkat(directory->get(), name.c_str(), target.data(), target.size());
    if (length < 0) {
        return Error::from_errno(errno, "base.read_failed", {{"path", path}});
    }
    return std::string(target.data(), static_cast<std::size_t>(length));
}

std::optional<struct stat> Root::lstat(std::string_view path) const {
    const auto [parent, name] = split_last(path);
    const UniqueFd directory(open_in_root(directory_.get(), or_dot(parent), O_PATH | O_DIRECTORY, 0));
    struct stat info = {};
    if (!directory || ::fstatat(directory.get(), or_dot(name).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return std::nullopt;
    }
    return info;
}

std::optional<struct stat> Root::stat(std::string_view path) const {
    const UniqueFd fd(open_in_root(directory_.get(), or_dot(path), O_PATH, 0));
    struct stat info = {};
    if (!fd || ::fstat(fd.get(), &info) != 0) {
        return std::nullopt;
    }
    return info;
}

Result<std::string> Root::canonical(std::string_view path) const {
    auto fd = open_file(path, O_PATH);
    if (!fd) {
        return fd.error();
    }
    const auto name_of = [](int descriptor) {
        std::array<char, 4096> target = {};
        const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
        const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
        return std::string(target.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
    };
    const std::string base = name_of(directory_.get());
    const std::string full = name_of(fd->get());
    if (full.empty() || base.empty()) {
        return Error::from_errno(errno, "base.open_failed", {{"path", path}});
    }
    if (base == "/") {
        return full;
    }
    return full.size() == base.size() ? std::string("/") : full.substr(base.size());
}

Result<std::string> read_all(int fd, std::size_t max_bytes, std::string_view name) {
    std::string text;
    std::array<char, 16384> chunk;
    for (;;) {
        const ssize_t count = ::read(fd, chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return Error::from_errno(errno, "base.read_failed", {{"path", name}});
        }
        if (count == 0) {
            return text;
        }
        if (text.size() + static_cast<std::size_t>(count) > max_bytes) {
            return Error("base.file_too_large", {{"path", name}, {"limit_bytes", std::uint64_t{max_bytes}}});
        }
        text.append(chunk.data(), static_cast<std::size_t>(count));
    }
}

Result<void> write_all(int fd, std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const ssize_t count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return Error::from_errno(errno, "base.write_failed", {{"path", name}});
        }
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

}  // namespace stillboot
