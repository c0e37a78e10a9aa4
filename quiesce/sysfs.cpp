// SPDX-License-Identifier: Apache-2.0
// Small readers of sysfs that the inventory is made of.
#include "quiesce/sysfs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

namespace stillboot::quiesce {
namespace {

// "/sys/class/net" and "../../devices/x" -> "/sys/devices/x", by the text alone.
std::string joined(std::string_view directory, std::string_view target) {
    std::string out(target.starts_with('/') ? std::string_view() : directory);
    while (!target.empty()) {
        const std::size_t slash = std::min(target.find('/'), target.size());
        const std::string_view part = target.substr(0, slash);
        if (part == "..") {
            out.resize(out.empty() ? 0 : std::min(out.rfind('/'), out.size()));
        } else if (!part.empty() && part != ".") {
            out.append("/").append(part);
        }
        target.remove_prefix(std::min(slash + 1, target.size()));
    }
    return out;
}

}  // namespace

std::string attribute_or_empty(const Root& root, std::string_view path) {
    auto text = root.read_attribute(path);
    return text ? *std::move(text) : std::string();
}

SysfsDirectory::SysfsDirectory(const Root& root, std::string path) : path_(std::move(path)) {
    if (auto opened = root.open_file(path_, O_PATH | O_DIRECTORY)) {
        directory_ = *std::move(opened);
    }
}

std::string SysfsDirectory::attribute(const char* name) const {
    // A name without a slash and no link at its end cannot lead out of the root.
    const UniqueFd file(
        ::openat(directory_.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    std::array<char, 4096> page;
    ssize_t length = -1;
    do {
        length = file ? ::read(file.get(), page.data(), page.size()) : 0;
    } while (length < 0 && errno == EINTR);
    std::string_view text(page.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    return std::string(text.substr(0, last == text.npos ? 0 : last + 1));
}

std::string SysfsDirectory::link(const char* name) const {
    std::array<char, 4096> target;
    const ssize_t length = ::readlinkat(directory_.get(), name, target.data(), target.size());
    return {target.data(), length < 0 ? 0 : static_cast<std::size_t>(length)};
}

std::string SysfsDirectory::follow(const char* name) const {
    const std::string target = link(name);
    return target.empty() ? target : joined(path_, target);
}

std::string follow_link(const Root& root, std::string_view path) {
    const auto target = root.read_link(path);
    return target ? joined(path.substr(0, path.rfind('/')), *target) : std::string();
}

std::vector<SysfsEntry> entries_by_inode(const Root& root, const std::string& directory) {
    std::vector<SysfsEntry> entries;
    auto fd = root.open_file(directory, O_RDONLY | O_DIRECTORY);
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(
        fd ? ::fdopendir(fd->get()) : nullptr, [](DIR* open) { return open == nullptr ? 0 : ::closedir(open); });
    if (!listing) {
        return entries;
    }
    (void)fd->release();  // closedir closes it
    while (const dirent* entry = ::readdir(listing.get())) {
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") {
            entries.push_back({std::string(name), entry->d_ino});
        }
    }
    return entries;
}

std::uint64_t parse_number(std::string_view text, int base) {
    if (base == 16 && (text.starts_with("0x") || text.starts_with("0X"))) {
        text.remove_prefix(2);
    }
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

bool is_removable(std::string_view path, std::string_view removable) {
    const auto components = split(path, "/");
    return removable == "1" || std::any_of(components.begin(), components.end(), [](const std::string& each) {
               return each.starts_with("usb") && each.size() > 3 &&
                      each.find_first_not_of("0123456789", 3) == std::string::npos;
           });
}

std::string_view last_component(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == path.npos ? path : path.substr(slash + 1);
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
    std::vector<std::string> parts;
    std::size_t at = text.find_first_not_of(separators);
    while (at != text.npos) {
        const std::size_t end = text.find_first_of(separators, at);
        parts.emplace_back(text.substr(at, end == text.npos ? text.npos : end - at));
        at = text.find_first_not_of(separators, end == text.npos ? text.size() : end);
    }
    return parts;
}

}  // namespace stillboot::quiesce
