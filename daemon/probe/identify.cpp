// SPDX-License-Identifier: Apache-2.0
// libblkid, read in a process that can do nothing else.
#include "daemon/probe/identify.hpp"

#include <blkid.h>
#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cstring>
#include <memory>
#include <optional>

#include "config/base/root.hpp"
#include "daemon/probe/journal.hpp"
#include "daemon/probe/mount_view.hpp"
#include "daemon/probe/sandbox.hpp"
#include "daemon/protocol/json.hpp"

namespace stillboot::probe {
namespace {

namespace json = boost::json;

using Probe = std::unique_ptr<std::remove_pointer_t<blkid_probe>, void (*)(blkid_probe)>;

Error unreadable(int error_number, const std::string& node) {
    return Error::from_errno(error_number, "probe.device_unreadable", {{"device", node}});
}

std::string value_of(const Probe& probe, const char* name) {
    const char* data = nullptr;
    std::size_t size = 0;
    if (::blkid_probe_lookup_value(probe.get(), name, &data, &size) != 0) {
        return {};
    }
    return std::string(data, ::strnlen(data, size));
}

Message container_words(const std::string& what) {
    return Message("probe.container", {{"what", what}});
}

std::uint64_t btrfs_devices(int fd) {
    std::uint64_t raw = 1;
    constexpr off_t num_devices = 65536 + 0x88;
    return ::pread(fd, &raw, sizeof raw, num_devices) == static_cast<ssize_t>(sizeof raw) ? le64toh(raw) : 1;
}

Identity classify(const Probe& probe, int fd) {
    const std::string type = value_of(probe, "TYPE");
    if (type == "crypto_LUKS") {
        return Container{Container::Kind::luks, container_words("a LUKS encrypted volume")};
    }
    if (type == "LVM2_member") {
        return Container{Container::Kind::lvm_pv, container_words("an LVM physical volume")};
    }
    if (type == "linux_raid_member") {
        return Container{Container::Kind::md_member, container_words("a member of a Linux MD array")};
    }
    if (type == "swap" || type == "swsuspend") {
        return Nothing{Message("probe.swap")};
    }
    if (type == "btrfs" && btrfs_devices(fd) > 1) {
        const std::string words = "one of the " + std::to_string(btrfs_devices(fd)) + " devices of a btrfs";
        return Container{Container::Kind::multi_device_btrfs, container_words(words)};
    }
    if (const std::string driver(driver_of(type)); !driver.empty()) {
        return FileSystem{driver, value_of(probe, "UUID"), value_of(probe, "LABEL"), journal_pending(fd, driver)};
    }
    if (!type.empty()) {
        return Nothing{Message("probe.unsupported_type", {{"type", type}})};
    }
    const std::string table = value_of(probe, "PTTYPE");
    return table.empty() ? Nothing{Message("probe.empty")}
                         : Nothing{Message("probe.partition_table", {{"type", table}})};
}

Result<Probe> open_probe(int fd, const std::string& node) {
    Probe probe(::blkid_new_probe(), ::blkid_free_probe);
    if (!probe || ::blkid_probe_set_device(probe.get(), fd, 0, 0) != 0) {
        return unreadable(errno != 0 ? errno : ENOMEM, node);
    }
    ::blkid_probe_enable_superblocks(probe.get(), 1);
    ::blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL);
    ::blkid_probe_enable_partitions(probe.get(), 1);
    return probe;
}

Result<Identity> ask_blkid(const Probe& probe, int fd, const std::string& node) {
    errno = 0;
    switch (::blkid_do_safeprobe(probe.get())) {
        case 0: return classify(probe, fd);
        case 1:
            return errno == EIO ? Result<Identity>(unreadable(errno, node))
                                : Result<Identity>(Identity(Nothing{Message("probe.empty")}));
        case -2: return Identity(Nothing{Message("probe.ambiguous")});
        default: return unreadable(errno != 0 ? errno : EIO, node);
    }
}

// The child's answer: {"file_system": DeviceId with the type as its id, "journal"}, {"finding": ScanResult} or
// {"error": Message}.
std::string to_text(const Result<Identity>& identity) {
    json::object object;
    if (!identity) {
        object["error"] = protocol::to_json(identity.error().message());
    } else if (const auto* system = std::get_if<FileSystem>(&*identity)) {
        DeviceId names;
        names.id = system->type;
        names.uuid = system->uuid;
        names.label = system->label;
        object["file_system"] = protocol::to_json(names);
        object["journal"] = system->journal_pending;
    } else {
        const auto* container = std::get_if<Container>(&*identity);
        ScanResult result;
        result.finding = container != nullptr ? Finding(*container) : Finding(std::get<Nothing>(*identity));
        object["finding"] = protocol::to_json(result);
    }
    return json::serialize(object);
}

std::optional<Identity> identity_of_finding(const json::value& value) {
    auto result = protocol::from_json<ScanResult>(value);
    if (!result) {
        return std::nullopt;
    }
    if (auto* container = std::get_if<Container>(&result->finding)) {
        return Identity(std::move(*container));
    }
    auto* nothing = std::get_if<Nothing>(&result->finding);
    return nothing == nullptr ? std::nullopt : std::optional<Identity>(std::move(*nothing));
}

// What the child says is as hostile as what it read: the type must be one that we mount.
std::optional<Result<Identity>> identity_of(std::string_view text) {
    auto parsed = protocol::parse_json(text);
    const auto* object = parsed ? parsed->if_object() : nullptr;
    if (object == nullptr) {
        return std::nullopt;
    }
    if (const auto* error = object->if_contains("error")) {
        auto message = protocol::from_json<Message>(*error);
        return message ? std::optional<Result<Identity>>(Error(std::move(*message))) : std::nullopt;
    }
    if (const auto* finding = object->if_contains("finding")) {
        auto identity = identity_of_finding(*finding);
        return identity ? std::optional<Result<Identity>>(std::move(*identity)) : std::nullopt;
    }
    const auto* names = object->if_contains("file_system");
    const auto* journal = object->if_contains("journal");
    auto id = names == nullptr ? Result<DeviceId>(Error()) : protocol::from_json<DeviceId>(*names);
    if (!id || journal == nullptr || !journal->is_bool() || driver_of(id->id) != id->id) {
        return std::nullopt;
    }
    return Result<Identity>(Identity(FileSystem{id->id, id->uuid, id->label, journal->get_bool()}));
}

// Everything that libblkid reads, it reads here: no capability, no path, no other process.
[[noreturn]] void identify_in_child(const Probe& probe, int fd, const std::string& node, int output,
                                    pid_t parent) {
    // A fork does not inherit the wish to end with one's parent, and a disk that never answers is read for ever.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) {
        ::_exit(1);
    }
    Result<Identity> identity = Error();
    if (auto bare = keep_capabilities(0); !bare) {
        identity = bare.error();
    } else if (auto filtered = allow_only(Calls::memory_only); !filtered) {
        identity = filtered.error();
    } else {
        identity = ask_blkid(probe, fd, node);
    }
    const bool written = write_all(output, to_text(identity), "identity").has_value();
    ::_exit(written ? 0 : 1);
}

}  // namespace

Result<Identity> identify(int fd, const std::string& node) {
    auto probe = open_probe(fd, node);
    return probe ? ask_blkid(*probe, fd, node) : Result<Identity>(probe.error());
}

Result<Identity> identify_confined(int fd, const std::string& node) {
    auto probe = open_probe(fd, node);
    if (!probe) {
        return probe.error();
    }
    std::array<int, 2> ends = {-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return unreadable(errno, node);
    }
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        identify_in_child(*probe, fd, node, writer.get(), parent);
    }
    writer.reset();
    constexpr std::size_t longest = std::size_t{16} * 1024;
    const auto text = child < 0 ? Result<std::string>(std::string()) : read_all(reader.get(), longest, "identity");
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    auto identity = text ? identity_of(*text) : std::nullopt;
    if (child < 0 || status != 0 || !identity) {
        return Error("probe.identify_crashed", {{"device", node}});
    }
    return std::move(*identity);
}

}  // namespace stillboot::probe
