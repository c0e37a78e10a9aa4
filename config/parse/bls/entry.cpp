// SPDX-License-Identifier: Apache-2.0
// Reading and ordering of entry files.
#include "config/parse/bls/entry.hpp"

#include <algorithm>
#include <iterator>

#include "config/model/counted_name.hpp"
#include "config/parse/bls/version_compare.hpp"

namespace stillboot {
namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::string_view suffix = ".conf";

struct SingleKey {
    std::string_view name;
    BlsValue BlsEntry::* member;
};

constexpr SingleKey single_keys[] = {
    {"title", &BlsEntry::title},
    {"version", &BlsEntry::version},
    {"machine-id", &BlsEntry::machine_id},
    {"sort-key", &BlsEntry::sort_key},
    {"architecture", &BlsEntry::architecture},
    {"linux", &BlsEntry::linux},
    {"devicetree", &BlsEntry::devicetree},
};

// Of no meaning to us: GRUB's additions, and what belongs to programs of the firmware.
constexpr std::string_view ignored_keys[] = {"grub_users", "grub_arg", "grub_class", "id", "extra", "profile"};

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
    return std::find(std::begin(range), std::end(range), value) != std::end(range);
}

BlsLine split_line(std::string_view line, std::uint32_t number) {
    const std::size_t key = line.find_first_not_of(blanks);
    const std::size_t key_end = std::min(line.find_first_of(blanks, key), line.size());
    const std::size_t value = std::min(line.find_first_not_of(blanks, key_end), line.size());
    const std::size_t end = line.find_last_not_of(blanks) + 1;
    const std::string_view text = line.substr(value, end > value ? end - value : 0);
    return {line.substr(key, key_end - key),
            static_cast<std::uint32_t>(key + 1),
            {std::string(text), number, static_cast<std::uint32_t>(value + 1)}};
}

}  // namespace

std::vector<BlsLine> split_bls_lines(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.substr(0, 3) == byte_order_mark) {
        text.remove_prefix(3);
    }
    std::vector<BlsLine> lines;
    for (std::uint32_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        const std::size_t first = line.find_first_not_of(blanks);
        if (first != line.npos && line[first] != '#') {
            lines.push_back(split_line(line, number));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::optional<BlsEntry> bls_entry_of_name(std::string_view name) {
    auto counted = counted_name_of(name);
    if (!counted || counted->suffix != suffix) {
        return std::nullopt;
    }
    BlsEntry entry;
    entry.id = std::move(counted->stem);
    entry.tries = counted->tries;
    return entry;
}

void read_bls_entry(BlsEntry& entry, const std::string& path, std::string_view text,
                    std::vector<Diagnostic>& diagnostics) {
    for (const BlsLine& line : split_bls_lines(text)) {
        const auto say = [&](Severity severity, std::string_view code) {
            diagnostics.emplace_back(severity, path, line.value.line, line.key_column,
                                     Message(code, {{"key", line.key}}));
        };
        const auto* single = std::find_if(std::begin(single_keys), std::end(single_keys),
                                          [&](const SingleKey& key) { return key.name == line.key; });
        if (line.value.text.empty() && line.key != "options") {
            say(Severity::warning, "config.bls_no_value");
        } else if (single != std::end(single_keys)) {
            entry.*single->member = line.value;
        } else if (line.key == "initrd") {
            entry.initrds.push_back(line.value);
        } else if (line.key == "options") {
            entry.options.push_back(line.value);
        } else if (line.key == "efi" || line.key == "uki" || line.key == "uki-url") {
            entry.firmware_program = line.value;
        } else if (line.key == "devicetree-overlay") {
            say(Severity::warning, "config.bls_overlay");
        } else if (!contains(ignored_keys, line.key)) {
            say(Severity::note, "config.bls_unknown_key");
        }
    }
}

bool bls_before(const BlsEntry& a, const BlsEntry& b) {
    if (bls_is_bad(a) != bls_is_bad(b)) {
        return bls_is_bad(b);
    }
    if (a.sort_key.text.empty() != b.sort_key.text.empty()) {
        return b.sort_key.text.empty();
    }
    if (!a.sort_key.text.empty()) {
        if (const int order = a.sort_key.text.compare(b.sort_key.text); order != 0) {
            return order < 0;
        }
        if (const int order = a.machine_id.text.compare(b.machine_id.text); order != 0) {
            return order < 0;
        }
        if (const auto order = compare_versions(a.version.text, b.version.text); order != 0) {
            return order > 0;
        }
    }
    if (const auto order = compare_versions(a.id, b.id); order != 0) {
        return order > 0;
    }
    const BootTries none;
    const BootTries& left = a.tries ? *a.tries : none;
    const BootTries& right = b.tries ? *b.tries : none;
    return left.left != right.left ? left.left > right.left : left.done < right.done;
}

}  // namespace stillboot
