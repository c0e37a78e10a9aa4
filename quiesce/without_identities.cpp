// SPDX-License-Identifier: Apache-2.0
// Takes out of an inventory what names a machine or its people, and leaves what a plan is made from.
#include <algorithm>
#include <array>

#include "quiesce/recorded_inventory.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

// Mount points that are the same on every machine.
constexpr std::array<std::string_view, 14> common_directories = {"/",    "/boot", "/boot/efi", "/efi", "/home",
                                                                 "/opt", "/root", "/srv",      "/tmp", "/usr",
                                                                 "/var", "/mnt",  "/media",    "/run"};

/// Stand-ins of one kind: "serial-1", "serial-2", the same for the same text.
class StandIns {
public:
    explicit StandIns(std::string_view kind) : kind_(kind) {}
    std::string of(const std::string& text) {
        if (text.empty()) {
            return {};
        }
        const auto [place, added] = known_.emplace(text, "");
        if (added) {
            place->second = std::string(kind_) + "-" + std::to_string(known_.size());
        }
        return place->second;
    }
    [[nodiscard]] const std::map<std::string, std::string>& known() const { return known_; }

private:
    std::string_view kind_;
    std::map<std::string, std::string> known_;
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

// "/home/somebody/disk.img" -> "/home/…"
std::string shortened(const std::string& path) {
    if (std::find(common_directories.begin(), common_directories.end(), path) != common_directories.end()) {
        return path;
    }
    const std::string first = path.substr(0, path.find('/', 1));
    const bool common =
        std::find(common_directories.begin(), common_directories.end(), first) != common_directories.end();
    return common ? first + "/…" : "/…";
}

class Redaction {
public:
    explicit Redaction(Inventory& inventory) : inventory_(inventory) {}

    void run() {
        interfaces();
        for (auto& [name, block] : inventory_.blocks) {
            block.wwid = serials_.of(block.wwid);
            block.dm_name = volumes_.of(block.dm_name);
            block.backing_file = hidden(block.backing_file);
        }
        for (auto& user : inventory_.users) {
            std::vector<Message::Param> params = user.what.params();
            for (auto& param : params) {
                param.value = hidden_parameter(param);
            }
            user.what = Message(user.what.code(), std::move(params));
        }
    }

private:
    // A name such as enx525400123456 holds the address, and the sysfs path holds the name.
    void interfaces() {
        for (auto& interface : inventory_.interfaces) {
            std::string digits = interface.address;
            std::erase(digits, ':');
            interface.address = addresses_.of(interface.address);
            if (digits.size() >= 12) {
                replace_all(interface.name, digits, interface.address);
                replace_all(interface.path, digits, interface.address);
            }
        }
    }

    std::string hidden_parameter(const Message::Param& param) {
        if (param.name == "source" || param.name == "where") {
            return hidden(param.value);
        }
        return param.name == "name" && !inventory_.blocks.contains(param.value) ? volumes_.of(param.value)
                                                                                : param.value;
    }

    // A node of a block device by the kernel's own name stays, and a path keeps its beginning.
    std::string hidden(const std::string& text) {
        if (text.empty() || inventory_.blocks.contains(text)) {
            return text;
        }
        if (text.starts_with("/dev/")) {
            return inventory_.blocks.contains(last_component(text)) ? text : "/dev/…";
        }
        return text.starts_with("/") ? shortened(text) : sources_.of(text);
    }

    Inventory& inventory_;
    StandIns serials_{"serial"};
    StandIns addresses_{"address"};
    StandIns volumes_{"volume"};
    StandIns sources_{"source"};
};

}  // namespace

Inventory without_identities(Inventory inventory) {
    Redaction(inventory).run();
    return inventory;
}

}  // namespace stillboot::quiesce
