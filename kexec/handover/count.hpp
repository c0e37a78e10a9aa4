// SPDX-License-Identifier: Apache-2.0
// Boot counting: the try that a hand-over takes off an entry's file name, and the word by which the booted system
// finds that file to say how it went.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.hpp"
#include "config/model/counted_name.hpp"
#include "config/model/device.hpp"
#include "quiesce/block_place.hpp"

namespace stillboot::handover {

/// The file of an entry, on a block device.
struct EntryFile {
    std::string node;             ///< "/dev/nvme0n1p1", for as long as its driver stays bound
    DeviceRef device;             ///< the same by PARTUUID or UUID; `self` where it has neither
    std::string filesystem;       ///< its type, as blkid names it
    std::string directory;        ///< "/loader/entries"
    std::string name;             ///< "first+3.conf"
    quiesce::BlockPlace place{};  ///< of the node, once a try is taken: a copied disk has the same UUID

    /// "/loader/entries/first+3.conf"
    [[nodiscard]] std::string path() const { return directory + "/" + name; }
    bool operator==(const EntryFile&) const = default;
};

/// One try, as the file's rename.
struct Try {
    EntryFile file;     ///< with the name that it has before
    std::string after;  ///< the name once the try is taken: "first+2-1.conf"

    bool operator==(const Try&) const = default;
};

/// The try that a boot of this entry takes; none where its name has no counters, or none are left: then a person
/// wants it all the same, or nothing else is there, and the name stays.
[[nodiscard]] std::optional<Try> try_of(const EntryFile& file);

/// "stillboot-bless.entry=PARTUUID=…:/loader/entries/first.conf", for the next kernel's command line: the file
/// without its counters, which may change. Empty where the device has neither UUID, or the path holds what a
/// command line cannot.
[[nodiscard]] std::string bless_word(const EntryFile& file);

/// The entry that the last such word on a kernel command line names; its node and file system are empty, its name
/// is without counters. Nothing where there is no such word, or it names nothing.
[[nodiscard]] std::optional<EntryFile> entry_to_bless(std::string_view command_line);

/// How the system that was booted says it went.
enum class Verdict { good, bad };

/// A file and the name that it gets by a verdict; the same name where that is said already.
struct Blessing {
    std::string from;
    std::string to;

    [[nodiscard]] bool is_said() const { return from == to; }
    bool operator==(const Blessing&) const = default;
};

/// Which of the files in the entry's directory is meant: with counters, or without where it was blessed before.
/// Good takes the counters away, bad sets the tries left to zero.
/// @param name  without counters  @error handover.bless_missing, handover.bless_several
[[nodiscard]] Result<Blessing> blessing_of(const std::vector<std::string>& names, const std::string& name,
                                           Verdict verdict);

}  // namespace stillboot::handover
