// SPDX-License-Identifier: Apache-2.0
// One entry file of the Boot Loader Specification, type 1, as its keys and values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/diagnostic.hpp"

namespace stillboot {

struct BlsValue {
    std::string text;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

/// A key that is missing is an empty value. Where a key that takes one value stands twice, the last counts.
struct BlsEntry {
    std::string id;  ///< the file name less ".conf" and the counters
    std::optional<BootTries> tries;
    BlsValue title, version, machine_id, sort_key, architecture, linux, devicetree;
    std::optional<BlsValue> firmware_program;  ///< efi, uki or uki-url
    std::vector<BlsValue> initrds;
    std::vector<BlsValue> options;
};

/// A file name of an entry, taken apart: "name+LEFT[-DONE].conf". Empty where it does not end in ".conf" or has
/// nothing before it. Counters that are no numbers belong to the name, as the specification says.
[[nodiscard]] std::optional<BlsEntry> bls_entry_of_name(std::string_view file_name);

/// Reads the keys into the entry. Unknown keys are notes, for the specification lets anyone add some.
void read_bls_entry(BlsEntry& entry, const std::string& path, std::string_view text,
                    std::vector<Diagnostic>& diagnostics);

/// The order of the menu: what comes first is the better default. Source: the specification, "Sorting".
[[nodiscard]] bool bls_before(const BlsEntry& a, const BlsEntry& b);

/// True where boot counting has no try left.
[[nodiscard]] inline bool bls_is_bad(const BlsEntry& entry) {
    return entry.tries && entry.tries->left == 0;
}

/// Lines of "key value" with '#' comments, as entries and loader.conf have them.
struct BlsLine {
    std::string_view key;
    std::uint32_t key_column = 0;
    BlsValue value;
};
[[nodiscard]] std::vector<BlsLine> split_bls_lines(std::string_view text);

}  // namespace stillboot
