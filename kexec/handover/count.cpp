// SPDX-License-Identifier: Apache-2.0
// Names before and after a try, and the word for the booted system.
#include "kexec/handover/count.hpp"

#include <algorithm>
#include <array>

#include "kexec/handover/words.hpp"

namespace stillboot::handover {
namespace {

constexpr std::size_t longest_word = 512;

struct Tag {
    DeviceRef::Kind kind;
    std::string_view text;
};
constexpr std::array<Tag, 2> tags = {{{DeviceRef::Kind::partuuid, "PARTUUID="}, {DeviceRef::Kind::uuid, "UUID="}}};

// What no command line, shell or quoting makes anything else of.
bool is_plain(std::string_view text) {
    constexpr std::string_view others = "/._-+@,~";
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               others.find(c) != others.npos;
    });
}

std::string without_counters(const std::string& name) {
    auto counted = counted_name_of(name);
    if (!counted) {
        return name;
    }
    counted->tries.reset();
    return to_text(*counted);
}

}  // namespace

std::optional<Try> try_of(const EntryFile& file) {
    auto name = counted_name_of(file.name);
    if (!name || !name->tries || name->tries->left == 0) {
        return std::nullopt;
    }
    name->tries = after_try(*name->tries);
    return Try{file, to_text(*name)};
}

std::string bless_word(const EntryFile& file) {
    const auto tag =
        std::find_if(tags.begin(), tags.end(), [&](const Tag& each) { return each.kind == file.device.kind; });
    const std::string path = file.directory + "/" + without_counters(file.name);
    if (tag == tags.end() || !is_plain(file.device.value) || !is_plain(path)) {
        return {};
    }
    const std::string word =
        std::string(bless_word_name) + std::string(tag->text) + file.device.value + ":" + path;
    return word.size() <= longest_word ? word : std::string();
}

std::optional<EntryFile> entry_to_bless(std::string_view command_line) {
    const std::string_view value = value_of(command_line, bless_word_name);
    const auto tag =
        std::find_if(tags.begin(), tags.end(), [&](const Tag& each) { return value.starts_with(each.text); });
    const std::size_t colon = value.find(":/");
    if (tag == tags.end() || colon == value.npos) {
        return std::nullopt;
    }
    const std::string_view path = value.substr(colon + 1);
    const std::size_t slash = path.rfind('/');
    EntryFile file;
    file.device = {tag->kind, std::string(value.substr(tag->text.size(), colon - tag->text.size()))};
    file.directory = path.substr(0, slash);
    file.name = path.substr(slash + 1);
    const bool names_a_file = !file.device.value.empty() && is_plain(file.device.value) &&
                              file.device.value.find('/') == std::string::npos && is_plain(path) &&
                              counted_name_of(file.name).has_value();
    return names_a_file ? std::optional(std::move(file)) : std::nullopt;
}

Result<Blessing> blessing_of(const std::vector<std::string>& names, const std::string& name, Verdict verdict) {
    std::vector<std::string> meant;
    bool plain = false;
    for (const std::string& each : names) {
        if (each == name) {
            plain = true;
        } else if (without_counters(each) == name) {
            meant.push_back(each);
        }
    }
    if (meant.size() > 1) {
        return Error("handover.bless_several", {{"name", name}, {"count", std::uint64_t{meant.size()}}});
    }
    if (meant.empty() && !plain) {
        return Error("handover.bless_missing", {{"name", name}});
    }
    const std::string now = meant.empty() ? name : meant.front();
    auto then = counted_name_of(now);
    if (!then) {
        return Error("handover.bless_missing", {{"name", name}});
    }
    const std::uint32_t done = then->tries ? then->tries->done : 0;
    if (verdict == Verdict::good) {
        return Blessing{now, name};
    }
    const bool is_bad = then->tries && then->tries->left == 0;
    then->tries = BootTries{0, done};
    return Blessing{now, is_bad ? now : to_text(*then)};
}

}  // namespace stillboot::handover
