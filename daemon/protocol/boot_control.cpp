// SPDX-License-Identifier: Apache-2.0
// Options in systemd's words.
#include "daemon/protocol/boot_control.hpp"

#include <boost/json.hpp>

#include "config/base/utf8.hpp"

namespace stillboot::protocol {
namespace {

void put(boost::json::object& entry, std::string_view name, const std::string& text) {
    if (!text.empty()) {
        entry.emplace(name, valid_utf8(text));
    }
}

const std::string& place_of(const Resource& resource) {
    return resource.path.empty() ? resource.url : resource.path;
}

std::string_view type_of(const Option& option) {
    return option.source.format == "bls" ? "type1" : "loader";
}

std::string shown_title(const Option& option) {
    std::string title;
    for (const auto& submenu : option.submenus) {
        title += submenu + " > ";
    }
    return title + option.title;
}

}  // namespace

boost::json::object boot_entry(const Option& option, bool on_fat, bool is_default) {
    boost::json::object entry;
    entry.emplace("type", type_of(option));
    entry.emplace("source", on_fat ? "esp" : "xbootldr");
    put(entry, "id", option.id);
    put(entry, "path", option.source.file);
    put(entry, "title", option.title);
    put(entry, "showTitle", shown_title(option));
    put(entry, "sortKey", option.sort_key);
    put(entry, "version", option.version);
    put(entry, "options", option.args);
    put(entry, "linux", place_of(option.kernel));
    if (!option.initrds.empty()) {
        boost::json::array initrds;
        for (const auto& initrd : option.initrds) {
            initrds.emplace_back(valid_utf8(place_of(initrd)));
        }
        entry.emplace("initrd", std::move(initrds));
    }
    if (option.devicetree) {
        put(entry, "devicetree", place_of(*option.devicetree));
    }
    entry.emplace("isReported", true);
    if (option.tries) {
        entry.emplace("triesLeft", option.tries->left);
        entry.emplace("triesDone", option.tries->done);
    }
    entry.emplace("isDefault", is_default);
    // The entry that the running system was booted from: here that is none of them.
    entry.emplace("isSelected", false);
    return entry;
}

std::string boot_entry_frames(const std::vector<boost::json::object>& entries) {
    Reply reply;
    if (entries.empty()) {
        reply.error = std::string(boot_control_interface) + ".NoSuchBootEntry";
        return encode(reply);
    }
    std::string frames;
    for (const auto& entry : entries) {
        reply.parameters["entry"] = entry;
        reply.continues = &entry != &entries.back();
        frames += encode(reply);
    }
    return frames;
}

}  // namespace stillboot::protocol
