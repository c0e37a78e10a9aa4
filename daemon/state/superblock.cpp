// SPDX-License-Identifier: Apache-2.0
// What libblkid says of the two kinds of file systems that a state store may have.
#include "daemon/state/superblock.hpp"

#include <blkid/blkid.h>

#include <memory>

namespace stillboot::state {
namespace {

using Probe = std::unique_ptr<std::remove_pointer_t<::blkid_probe>, decltype(&::blkid_free_probe)>;

std::string value_of(const Probe& probe, const char* name) {
    const char* value = nullptr;
    return ::blkid_probe_lookup_value(probe.get(), name, &value, nullptr) == 0 ? value : std::string();
}

}  // namespace

std::optional<Superblock> read_superblock(int fd) {
    const Probe probe(::blkid_new_probe(), &::blkid_free_probe);
    char vfat[] = "vfat";
    char ext2[] = "ext2";
    char ext3[] = "ext3";
    char ext4[] = "ext4";
    char* types[] = {vfat, ext2, ext3, ext4, nullptr};
    constexpr int wanted = BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID;
    const bool is_one = probe && ::blkid_probe_set_device(probe.get(), fd, 0, 0) == 0 &&
                        ::blkid_probe_enable_superblocks(probe.get(), 1) == 0 &&
                        ::blkid_probe_set_superblocks_flags(probe.get(), wanted) == 0 &&
                        ::blkid_probe_filter_superblocks_type(probe.get(), BLKID_FLTR_ONLYIN, types) == 0 &&
                        ::blkid_do_safeprobe(probe.get()) == 0;
    if (!is_one) {
        return std::nullopt;
    }
    const std::string type = value_of(probe, "TYPE");
    return Superblock{type == "vfat" ? type : "ext4", value_of(probe, "LABEL"), value_of(probe, "UUID")};
}

}  // namespace stillboot::state
