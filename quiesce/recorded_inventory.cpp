// SPDX-License-Identifier: Apache-2.0
// An inventory to JSON, and back with bounds on everything.
#include "quiesce/recorded_inventory.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>
#include <set>
#include <stdexcept>

#include "config/base/planted_defect.hpp"
#include "config/base/utf8.hpp"
#include "quiesce/sysfs.hpp"
#include "quiesce/users.hpp"

namespace stillboot::quiesce {
namespace {

namespace json = boost::json;

constexpr std::string_view format_name = "stillboot-inventory";

// What is empty, zero or false is left out: most of a device is.
void put(json::object& object, std::string_view key, const std::string& text) {
    if (!text.empty()) {
        object[key] = text;
    }
}

void put(json::object& object, std::string_view key, std::uint64_t number) {
    if (number != 0) {
        object[key] = number;
    }
}

void put(json::object& object, std::string_view key, bool flag) {
    if (flag) {
        object[key] = true;
    }
}

void put(json::object& object, std::string_view key, const std::vector<std::string>& texts) {
    if (!texts.empty()) {
        object[key] = json::array(texts.begin(), texts.end());
    }
}

json::object device_json(const Device& device) {
    json::object out;
    out["path"] = device.path;
    if (device.name != last_component(device.path)) {
        out["name"] = device.name;
    }
    out["bus"] = device.bus;
    put(out, "driver", device.driver);
    put(out, "bind_order", device.bind_order);
    put(out, "can_unbind", device.can_unbind);
    put(out, "modalias", device.modalias);
    if (device.pci) {
        out["pci"] = {device.pci->class_code, device.pci->vendor, device.pci->device};
    }
    put(out, "virtual_functions", std::uint64_t{device.virtual_functions});
    put(out, "physical_function", device.physical_function);
    put(out, "reset_methods", device.reset_methods);
    put(out, "suppliers", device.suppliers);
    put(out, "classes", device.classes);
    return out;
}

json::object block_json(const BlockDevice& block) {
    json::object out;
    out["name"] = block.name;
    put(out, "path", block.path);
    put(out, "number", block.number);
    put(out, "dm_name", block.dm_name);
    put(out, "dm_kind", block.dm_kind);
    put(out, "md_level", block.md_level);
    put(out, "wwid", block.wwid);
    put(out, "sectors", block.sectors);
    put(out, "stands_on", block.stands_on);
    put(out, "carriers", block.carriers);
    put(out, "backing_file", block.backing_file);
    return out;
}

json::object interface_json(const NetworkInterface& interface) {
    json::object out;
    out["name"] = interface.name;
    out["path"] = interface.path;
    put(out, "address", interface.address);
    put(out, "up", interface.up);
    put(out, "carrier", interface.carrier);
    return out;
}

json::object user_json(const User& user) {
    json::array parameters;
    for (const auto& param : user.what.params()) {
        parameters.push_back({param.name, param.value});
    }
    json::object out;
    out["code"] = user.what.code();
    out["parameters"] = std::move(parameters);
    put(out, "needs", user.needs);
    put(out, "needs_network", user.needs_network);
    put(out, "passive", user.passive);
    return out;
}

json::object console_json(const Console& console) {
    json::object out;
    out["name"] = console.name;
    put(out, "path", console.path);
    return out;
}

json::object head_json(const InventoryHead& head) {
    json::object out;
    out["stillboot"] = head.stillboot;
    out["kernel"] = head.kernel;
    out["machine"] = head.machine;
    out["recorded"] = head.recorded;
    out["identities"] = head.identities;
    return out;
}

// A key whose value is an array of one line each.
template <class Items, class Encode>
void add_lines(std::string& text, std::string_view key, const Items& items, Encode encode) {
    text.append(",\n\"").append(key).append("\":[");
    const char* separator = "\n";
    for (const auto& item : items) {
        text.append(separator).append(json::serialize(encode(item)));
        separator = ",\n";
    }
    text.append("]");
}

// Reading. at() and as_*() of Boost.JSON throw, and so do these; inventory_from_json() catches at the border.
struct TooLarge {
    std::string_view what;
    std::size_t limit;
};

class Reader {
public:
    RecordedInventory read(const json::object& object) {
        RecordedInventory out;
        read_head(object.at("head").as_object(), out.head);
        Inventory& inventory = out.inventory;
        each(object, "devices", [&](const json::object& item) {
            Device device = device_from(item);
            std::string path = device.path;
            if (!inventory.devices.emplace(std::move(path), std::move(device)).second) {
                throw std::runtime_error("a device stands in it twice");
            }
        });
        each(object, "blocks", [&](const json::object& item) {
            BlockDevice block = block_from(item);
            std::string name = block.name;
            if (!inventory.blocks.emplace(std::move(name), std::move(block)).second) {
                throw std::runtime_error("a block device stands in it twice");
            }
        });
        keep_known_blocks(inventory);
        each(object, "interfaces",
             [&](const json::object& item) { inventory.interfaces.push_back(interface_from(item)); });
        each(object, "users", [&](const json::object& item) { inventory.users.push_back(user_from(item)); });
        each(object, "consoles", [&](const json::object& item) {
            inventory.consoles.push_back({text(item, "name"), path(item, "path")});
        });
        if (const auto* autoprobe = object.if_contains("autoprobe")) {
            for (const auto& [bus, value] : autoprobe->as_object()) {
                inventory.autoprobe[checked(bus)] = checked(value.as_string());
            }
        }
        inventory.graphics_holder = text(object, "graphics_holder");
        return out;
    }

private:
    // What stands on what is walked for each block: names of nothing and repeated ones would cost each walk.
    static void keep_known_blocks(Inventory& inventory) {
        for (auto& [name, block] : inventory.blocks) {
            std::set<std::string_view> seen;
            std::vector<std::string> known;
            for (const std::string& below : block.stands_on) {
                if (inventory.blocks.contains(below) && seen.insert(below).second) {
                    known.push_back(below);
                }
            }
            block.stands_on = std::move(known);
        }
    }

    static std::string checked(std::string_view text) {
        if (text.size() > RecordedInventory::max_text) {
            throw TooLarge{"bytes in a text", RecordedInventory::max_text};
        }
        return std::string(text);
    }

    static std::string text(const json::object& object, std::string_view key) {
        const auto* value = object.if_contains(key);
        return value == nullptr ? std::string() : checked(value->as_string());
    }

    static bool flag(const json::object& object, std::string_view key) {
        const auto* value = object.if_contains(key);
        return value != nullptr && value->as_bool();
    }

    template <class Number>
    static Number number(const json::object& object, std::string_view key) {
        const auto* value = object.if_contains(key);
        return value == nullptr ? Number{0} : value->to_number<Number>();
    }

    // Whoever walks up a path counts on it to begin at the root.
    static std::string checked_path(std::string path) {
        if (!path.starts_with("/sys/")) {
            throw std::runtime_error("a path that does not lie below /sys");
        }
        return path;
    }

    static std::string path(const json::object& object, std::string_view key) {
        return object.contains(key) ? checked_path(text(object, key)) : std::string();
    }

    static std::string own_path(const json::object& object) { return checked_path(text(object, "path")); }

    std::vector<std::string> paths(const json::object& object, std::string_view key) {
        auto out = texts(object, key);
        std::for_each(out.begin(), out.end(), checked_path);
        return out;
    }

    std::vector<std::string> texts(const json::object& object, std::string_view key) {
        std::vector<std::string> out;
        const auto* value = object.if_contains(key);
        if (value == nullptr) {
            return out;
        }
        const auto& array = value->as_array();
        links_ += array.size();
        if (links_ > RecordedInventory::max_links) {
            throw TooLarge{"links", RecordedInventory::max_links};
        }
        out.reserve(array.size());
        for (const auto& item : array) {
            out.push_back(checked(item.as_string()));
        }
        return out;
    }

    template <class Take>
    static void each(const json::object& object, std::string_view key, Take take) {
        const auto* value = object.if_contains(key);
        if (value == nullptr) {
            return;
        }
        const auto& array = value->as_array();
        if (array.size() > RecordedInventory::max_devices) {
            throw TooLarge{key, RecordedInventory::max_devices};
        }
        for (const auto& item : array) {
            take(item.as_object());
        }
    }

    static void read_head(const json::object& object, InventoryHead& head) {
        head.stillboot = text(object, "stillboot");
        head.kernel = text(object, "kernel");
        head.machine = text(object, "machine");
        head.recorded = text(object, "recorded");
        head.identities = flag(object, "identities");
    }

    Device device_from(const json::object& object) {
        Device device;
        device.path = own_path(object);
        device.name = object.contains("name") ? text(object, "name") : std::string(last_component(device.path));
        device.bus = text(object, "bus");
        device.driver = text(object, "driver");
        device.bind_order = number<std::uint64_t>(object, "bind_order");
        device.can_unbind = flag(object, "can_unbind");
        device.modalias = text(object, "modalias");
        if (const auto* pci = object.if_contains("pci")) {
            const auto& numbers = pci->as_array();
            device.pci =
                PciFunction{numbers.at(0).to_number<std::uint32_t>(), numbers.at(1).to_number<std::uint16_t>(),
                            numbers.at(2).to_number<std::uint16_t>()};
        }
        device.virtual_functions = number<std::uint32_t>(object, "virtual_functions");
        device.physical_function =
            planted_defect ? text(object, "physical_function") : path(object, "physical_function");
        device.reset_methods = texts(object, "reset_methods");
        device.suppliers = paths(object, "suppliers");
        device.classes = texts(object, "classes");
        return device;
    }

    BlockDevice block_from(const json::object& object) {
        BlockDevice block;
        block.name = text(object, "name");
        block.path = path(object, "path");
        block.number = text(object, "number");
        block.dm_name = text(object, "dm_name");
        block.dm_kind = text(object, "dm_kind");
        block.md_level = text(object, "md_level");
        block.wwid = text(object, "wwid");
        block.sectors = number<std::uint64_t>(object, "sectors");
        block.stands_on = texts(object, "stands_on");
        block.carriers = paths(object, "carriers");
        block.backing_file = text(object, "backing_file");
        return block;
    }

    static NetworkInterface interface_from(const json::object& object) {
        NetworkInterface interface;
        interface.name = text(object, "name");
        interface.path = own_path(object);
        interface.address = text(object, "address");
        interface.up = flag(object, "up");
        interface.carrier = flag(object, "carrier");
        return interface;
    }

    User user_from(const json::object& object) {
        std::vector<Message::Param> params;
        for (const auto& item : object.at("parameters").as_array()) {
            const auto& pair = item.as_array();
            params.emplace_back(checked(pair.at(0).as_string()), checked(pair.at(1).as_string()));
        }
        User user;
        user.what = Message(text(object, "code"), std::move(params));
        user.needs = paths(object, "needs");
        user.needs_network = flag(object, "needs_network");
        user.passive = flag(object, "passive");
        return user;
    }

    std::size_t links_ = 0;
};

Result<RecordedInventory> read_value(const json::value& value) {
    const auto* object = value.if_object();
    const auto* format = object == nullptr ? nullptr : object->if_contains("format");
    if (format == nullptr || !format->is_string() || format->get_string() != format_name) {
        return Error("quiesce.inventory_other");
    }
    const auto version = object->at("version").to_number<int>();
    if (version > RecordedInventory::format_version) {
        return Error("quiesce.inventory_newer", {{"version", version}});
    }
    RecordedInventory recorded = Reader().read(*object);
    if (auto derived = derive_stacked(recorded.inventory); !derived) {
        return derived.error();
    }
    return recorded;
}

}  // namespace

InventoryHead head_of_this_machine(std::int64_t seconds) {
    InventoryHead head;
    head.stillboot = STILLBOOT_VERSION;
    utsname names = {};
    if (::uname(&names) == 0) {
        head.kernel = names.release;
        head.machine = names.machine;
    }
    const std::time_t time = seconds;
    std::tm parts = {};
    if (::gmtime_r(&time, &parts) != nullptr) {
        std::string text(sizeof "2026-11-23T12:40:00Z", '\0');
        text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts));
        head.recorded = std::move(text);
    }
    return head;
}

std::string to_text(const RecordedInventory& recorded) {
    const Inventory& inventory = recorded.inventory;
    const auto second = [](auto encode) { return [encode](const auto& entry) { return encode(entry.second); }; };
    json::object autoprobe;
    for (const auto& [bus, text] : inventory.autoprobe) {
        autoprobe[bus] = text;
    }
    std::string out = "{\"format\":\"" + std::string(format_name) +
                      "\",\"version\":" + std::to_string(RecordedInventory::format_version) + ",\n\"head\":";
    out += json::serialize(head_json(recorded.head));
    out += ",\n\"graphics_holder\":" + json::serialize(json::string(inventory.graphics_holder));
    out += ",\n\"autoprobe\":" + json::serialize(autoprobe);
    add_lines(out, "devices", inventory.devices, second(device_json));
    add_lines(out, "blocks", inventory.blocks, second(block_json));
    add_lines(out, "interfaces", inventory.interfaces, interface_json);
    add_lines(out, "users", inventory.users, user_json);
    add_lines(out, "consoles", inventory.consoles, console_json);
    out += "}\n";
    return valid_utf8(out);  // names of processes and mounts may be any bytes
}

Result<RecordedInventory> inventory_from_json(std::string_view text) {
    if (text.size() > RecordedInventory::max_bytes) {
        return Error("quiesce.inventory_too_large",
                     {{"what", "bytes"}, {"limit", std::uint64_t{RecordedInventory::max_bytes}}});
    }
    json::parse_options options;
    options.max_depth = RecordedInventory::max_depth;
    try {
        json::monotonic_resource memory;
        return read_value(json::parse(text, &memory, options));
    } catch (const TooLarge& large) {
        return Error("quiesce.inventory_too_large", {{"what", large.what}, {"limit", std::uint64_t{large.limit}}});
    } catch (const boost::system::system_error& error) {  // its what() tells where in the library
        return Error("quiesce.inventory_damaged", {{"reason", error.code().message()}});
    } catch (const std::out_of_range&) {
        return Error("quiesce.inventory_damaged", {{"reason", "a part of it is missing"}});
    } catch (const std::exception& exception) {
        return Error("quiesce.inventory_damaged", {{"reason", exception.what()}});
    }
}

}  // namespace stillboot::quiesce
