// SPDX-License-Identifier: Apache-2.0
// A detached mount, two files, and a thread for each call so that a dying disk costs only its deadline.
#include "daemon/state/partition_store.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <future>
#include <thread>

#include "config/base/root.hpp"
#include "daemon/state/two_copies.hpp"

namespace stillboot::state {
namespace {

constexpr std::array<const char*, 2> names = {"stillboot.0", "stillboot.1"};

struct Copies {
    std::array<std::string, 2> bytes;
    std::array<std::optional<Copy>, 2> copies;
    bool newer = false;
};

constexpr std::string_view unreadable = "unreadable";  // no whole copy begins so

Result<std::string> read_bytes(int directory, const char* name) {
    const UniqueFd file(::openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) {
        return errno == ENOENT ? Result<std::string>(std::string())
                               : Error::from_errno(errno, "state.read_failed", {{"file", name}});
    }
    std::string bytes(CopiesInDirectory::copy_bytes, '\0');
    const ssize_t count = ::pread(file.get(), bytes.data(), bytes.size(), 0);
    if (count < 0) {
        return Error::from_errno(errno, "state.read_failed", {{"file", name}});
    }
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
}

// One bad block must not cost both: where the other copy is whole, it is damaged, and written over next.
Result<Copies> read_copies(int directory) {
    Copies found;
    std::optional<Error> failure;
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto bytes = read_bytes(directory, names[i]);
        if (!bytes) {
            failure = bytes.error();
            bytes = std::string(unreadable);
        }
        found.copies[i] = decode_copy(*bytes);
        found.newer = found.newer || is_newer_format(*bytes);
        found.bytes[i] = std::move(*bytes);
    }
    if (failure && !found.copies[0] && !found.copies[1]) {
        return *failure;
    }
    return found;
}

// Written whole at once, zeros to the end: its blocks are there from the first time on.
Result<void> write_bytes(int directory, const char* name, std::string bytes) {
    bytes.resize(CopiesInDirectory::copy_bytes);
    const UniqueFd file(::openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    const ssize_t count = file ? ::pwrite(file.get(), bytes.data(), bytes.size(), 0) : -1;
    if (count >= 0 && count < static_cast<ssize_t>(bytes.size())) {
        errno = ENOSPC;
    } else if (count >= 0 && ::fsync(file.get()) == 0) {
        return {};
    }
    return Error::from_errno(errno, "state.write_failed", {{"file", name}});
}

UniqueFd mount_as(const std::string& node, const char* type) {
    const UniqueFd context(::fsopen(type, FSOPEN_CLOEXEC));
    if (!context || ::fsconfig(context.get(), FSCONFIG_SET_STRING, "source", node.c_str(), 0) != 0 ||
        ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return UniqueFd();
    }
    return UniqueFd(
        ::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
}

Result<UniqueFd> mount_store(const std::string& node) {
    int why = 0;
    for (const char* const type : {"vfat", "ext4"}) {
        UniqueFd mounted = mount_as(node, type);
        if (mounted) {
            return mounted;
        }
        why = errno;
    }
    return Error::from_errno(why, "state.mount_failed", {{"device", node}});
}

}  // namespace

Result<void> CopiesInDirectory::write(std::string_view text) const {
    const auto found = read_copies(directory_.get());
    if (!found) {
        return found.error();
    }
    if (found->newer) {
        return Error("state.newer_format");
    }
    const auto& [first, second] = found->copies;
    const auto current = newest(first, second);
    std::string bytes = encode_copy({current ? current->sequence + 1 : 1, std::string(text)});
    if (bytes.size() > copy_bytes) {
        return Error("state.too_large", {{"bytes", std::uint64_t{bytes.size()}}});
    }
    return write_bytes(directory_.get(), names[static_cast<std::size_t>(oldest(first, second))], std::move(bytes));
}

Result<std::optional<std::string>> CopiesInDirectory::read() const {
    const auto found = read_copies(directory_.get());
    if (!found) {
        return found.error();
    }
    if (found->newer) {
        return Error("state.newer_format");
    }
    const auto current = newest(found->copies[0], found->copies[1]);
    return current && !current->text.empty() ? std::optional(current->text) : std::optional<std::string>();
}

Result<std::vector<Message>> CopiesInDirectory::damage() const {
    const auto found = read_copies(directory_.get());
    if (!found) {
        return found.error();
    }
    std::vector<Message> damaged;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (is_damaged(found->bytes[i], found->copies[1 - i])) {
            damaged.emplace_back("state.copy_damaged", std::initializer_list<Message::Param>{{"file", names[i]}});
        }
    }
    if (damaged.size() == names.size()) {
        damaged = {Message("state.copies_damaged")};
    }
    return damaged;
}

/// What a call that was given up still holds.
struct PartitionStore::Shared {
    std::string node;
    std::optional<CopiesInDirectory> copies;
    bool given_up = false;

    Result<const CopiesInDirectory*> open() {
        if (!copies) {
            auto directory = mount_store(node);
            if (!directory) {
                return directory.error();
            }
            copies.emplace(std::move(*directory));
        }
        return &*copies;
    }

    template <class T>
    static Result<T> within(const std::shared_ptr<Shared>& shared, std::chrono::milliseconds deadline,
                            std::function<Result<T>(const CopiesInDirectory&)> act) {
        if (shared->given_up) {
            return Error("state.hangs", {{"device", shared->node}});
        }
        std::packaged_task<Result<T>()> task([shared, act = std::move(act)]() -> Result<T> {
            auto open = shared->open();
            return open ? act(**open) : Result<T>(open.error());
        });
        auto outcome = task.get_future();
        std::thread(std::move(task)).detach();
        if (outcome.wait_for(deadline) != std::future_status::ready) {
            shared->given_up = true;
            return Error("state.hangs", {{"device", shared->node}});
        }
        return outcome.get();
    }
};

PartitionStore::PartitionStore(std::string node, std::chrono::milliseconds deadline)
    : node_(std::move(node)), deadline_(deadline), shared_(std::make_shared<Shared>()) {
    shared_->node = node_;
}

PartitionStore::~PartitionStore() = default;

Result<void> PartitionStore::write(std::string_view record) {
    return Shared::within<void>(shared_, deadline_, [text = std::string(record)](const CopiesInDirectory& copies) {
        return copies.write(text);
    });
}

Result<std::optional<std::string>> PartitionStore::read() {
    return Shared::within<std::optional<std::string>>(
        shared_, deadline_, [](const CopiesInDirectory& copies) { return copies.read(); });
}

std::vector<Message> PartitionStore::damage() {
    auto found = Shared::within<std::vector<Message>>(
        shared_, deadline_, [](const CopiesInDirectory& copies) { return copies.damage(); });
    return found ? std::move(*found) : std::vector<Message>{found.error().message()};
}

// Dissolves the mount, which writes nothing: all was synced.
void PartitionStore::close() {
    if (!shared_->given_up) {
        shared_->copies.reset();
    }
}

std::string find_store(const Root& root, const std::string& setting) {
    if (setting == "none") {
        return {};
    }
    const std::string wanted =
        setting.empty() ? "/dev/disk/by-label/" + std::string(quiesce::state_store_label) : setting;
    const auto node = root.canonical(wanted);
    if (!node || !node->starts_with("/dev/")) {
        return {};
    }
    const auto path = root.canonical("/sys/class/block/" + node->substr(5));
    if (!setting.empty() || !path) {
        return *node;
    }
    // A stick that somebody plugs in must not tell this machine what to boot.
    const auto disk = root.exists(*path + "/partition") ? path->substr(0, path->rfind('/')) : *path;
    return root.read_attribute(disk + "/removable").value_or("0") == "1" ? std::string() : *node;
}

}  // namespace stillboot::state
