// SPDX-License-Identifier: Apache-2.0
// What each page says.
#include "ui/menu/pages.hpp"

#include <time.h>

#include "ui/menu/list_view.hpp"

namespace stillboot::menu {
namespace {

using protocol::Device;
using protocol::Option;

Role role_of(Severity severity) {
    switch (severity) {
        case Severity::error: return Role::error;
        case Severity::warning: return Role::warning;
        case Severity::note: break;
    }
    return Role::normal;
}

void add(std::vector<Paragraph>& page, std::string label, std::string text, Role role = Role::normal) {
    if (!text.empty()) {
        page.emplace_back(std::move(label), std::move(text), role);
    }
}

void add_device(std::vector<Paragraph>& page, const Device& device) {
    add(page, "Device", caption(device));
    add(page, "Node", device.node);
    add(page, "Model", device.model == caption(device) ? "" : device.model);
    add(page, "File system", device.filesystem);
    add(page, "Label", device.label);
    add(page, "UUID", device.uuid);
    add(page, "Size", human_size(device.size_bytes));
    add(page, "Removable", device.removable ? "yes" : "");
}

void add_diagnostics(std::vector<Paragraph>& page, const Device& device) {
    for (const auto& diagnostic : device.diagnostics) {
        page.emplace_back("", diagnostic.text(), role_of(diagnostic.severity));
    }
}

std::string source_words(const Source& source) {
    return source.line == 0 ? source.file : source.file + ", line " + std::to_string(source.line);
}

std::string submenu_words(const Option& option) {
    std::string words;
    for (const auto& title : option.submenus) {
        words += (words.empty() ? "" : " > ") + title;
    }
    return words;
}

void add_state(std::vector<Paragraph>& page, const Option& option, const Mirror& mirror) {
    if (option.state == protocol::OptionState::waiting) {
        add(page, "State", "waiting: " + (option.reason ? option.reason->sentence() : "no reason given"),
            Role::warning);
    } else {
        add(page, "State", "ready to boot", Role::good);
    }
    if (mirror.state().would_boot == option.id) {
        add(page, "Default", "yes: " + mirror.state().why.sentence());
    } else if (option.is_default) {
        add(page, "Default", "of its own configuration only");
    }
    if (option.tries) {
        add(page, "Boot counting",
            std::to_string(option.tries->left) + " tries left, " + std::to_string(option.tries->done) + " done");
        if (option.tries->left == 0) {
            add(page, "", Message("ui.no_tries").sentence(), Role::warning);
        }
    }
}

std::string clock_words(std::uint64_t milliseconds) {
    const auto seconds = static_cast<time_t>(milliseconds / 1000);
    struct tm parts{};
    ::localtime_r(&seconds, &parts);
    char text[16];
    const std::size_t length = ::strftime(text, sizeof(text), "%H:%M:%S", &parts);
    return {text, length};
}

}  // namespace

std::string resource_words(const Resource& resource) {
    if (!resource.url.empty()) {
        return resource.url;
    }
    if (resource.device.is_self()) {
        return resource.path;
    }
    return resource.path + "  (on the device with " + std::string(to_word(resource.device.kind)) + " " +
           resource.device.value + ")";
}

std::vector<Paragraph> option_page(const Option& option, const Mirror& mirror) {
    std::vector<Paragraph> page;
    page.emplace_back("", option.title, Role::heading);
    page.emplace_back();
    add_state(page, option, mirror);
    add(page, "Submenu", submenu_words(option));
    add(page, "Kernel", resource_words(option.kernel));
    for (const auto& initrd : option.initrds) {
        add(page, &initrd == &option.initrds.front() ? "Initrd" : " ", resource_words(initrd));
    }
    add(page, "Devicetree", option.devicetree ? resource_words(*option.devicetree) : "");
    add(page, "Command line", option.args.empty() ? "(empty)" : option.args);
    add(page, "Version", option.version);
    page.emplace_back();
    add(page, "Format", option.source.format);
    add(page, "Written in", source_words(option.source));
    add(page, "Identifier", option.id);
    page.emplace_back();
    if (const auto* device = mirror.device(option.device_id); device != nullptr) {
        add_device(page, *device);
        if (!device->diagnostics.empty()) {
            page.emplace_back();
            page.emplace_back("", "Messages about this device", Role::heading);
            add_diagnostics(page, *device);
        }
    }
    return page;
}

std::vector<Paragraph> device_page(const Device& device) {
    std::vector<Paragraph> page;
    page.emplace_back("", caption(device), Role::heading);
    page.emplace_back();
    add(page, "Why", reason_of(device),
        device.state == protocol::DeviceState::failed ? Role::error : Role::warning);
    page.emplace_back();
    add_device(page, device);
    add(page, "Identifier", device.id);
    if (!device.diagnostics.empty()) {
        page.emplace_back();
        add_diagnostics(page, device);
    }
    return page;
}

std::vector<Paragraph> problems_page(const Mirror& mirror) {
    std::vector<Paragraph> page;
    if (mirror.state().last_failure) {
        page.emplace_back("", "The last boot", Role::heading);
        page.emplace_back("", mirror.state().last_failure->sentence(), Role::error);
        page.emplace_back();
    }
    if (!mirror.state().notices.empty()) {
        page.emplace_back("", "Hand-overs before this one", Role::heading);
        for (const Message& notice : mirror.state().notices) {
            page.emplace_back("", notice.sentence(), Role::warning);
        }
        page.emplace_back();
    }
    for (const auto* device : mirror.devices()) {
        const bool offers_nothing = mirror.options_of(device->id).empty();
        if (!offers_nothing && device->diagnostics.empty()) {
            continue;
        }
        page.emplace_back("", caption(*device) + (device->node.empty() ? "" : "  " + device->node), Role::heading);
        if (offers_nothing) {
            page.emplace_back("", reason_of(*device),
                              device->state == protocol::DeviceState::failed ? Role::error : Role::normal);
        }
        add_diagnostics(page, *device);
        page.emplace_back();
    }
    if (page.empty()) {
        page.emplace_back("", "No problems: every device was read, and every configuration understood.",
                          Role::good);
    }
    return page;
}

std::vector<Paragraph> log_page(const Mirror& mirror) {
    std::vector<Paragraph> page;
    for (const auto& line : mirror.log()) {
        const Role role = line.severity == protocol::LogSeverity::error     ? Role::error
                          : line.severity == protocol::LogSeverity::warning ? Role::warning
                                                                            : Role::normal;
        page.emplace_back(clock_words(line.time_ms), line.text, role);
    }
    if (page.empty()) {
        page.emplace_back("", "The log is empty.", Role::dim);
    }
    return page;
}

std::vector<Paragraph> system_page(const protocol::System& system, const Mirror& mirror) {
    std::vector<Paragraph> page;
    page.emplace_back("", system.model.empty() ? "This machine" : system.model, Role::heading);
    page.emplace_back();
    add(page, "Firmware", system.firmware);
    add(page, "Processors", std::to_string(system.processors) + " " + system.processor);
    add(page, "Memory", human_size(system.memory_bytes));
    add(page, "Kernel", system.kernel + " " + system.architecture);
    add(page, "Stillboot", system.version);
    add(page, "State store",
        system.state_store.empty() ? "none: what is chosen or learned is forgotten at each start"
                                   : system.state_store);
    page.emplace_back();
    page.emplace_back("", "Disks", Role::heading);
    for (const auto* device : mirror.devices()) {
        add(page, device->node.empty() ? device->id : device->node,
            caption(*device) + "  " + human_size(device->size_bytes) + "  " + device->filesystem);
    }
    page.emplace_back();
    page.emplace_back("", "Network", Role::heading);
    for (const auto& interface : system.interfaces) {
        std::string words = interface.mac + (interface.link ? "  link" : "  no link");
        words += interface.megabits ? " " + std::to_string(*interface.megabits) + " Mbit/s" : "";
        for (const auto& address : interface.addresses) {
            words += "  " + address;
        }
        add(page, interface.name, words);
    }
    if (system.interfaces.empty()) {
        page.emplace_back("", "There is no network interface.", Role::dim);
    }
    return page;
}

std::vector<Paragraph> help_page() {
    std::vector<Paragraph> page;
    page.emplace_back("", "This machine runs Stillboot", Role::heading);
    page.emplace_back(
        "",
        "It has looked on every disk for systems to boot and lists them by device. Unless somebody "
        "presses a key, the entry marked * starts when the clock at the top runs out. Once an entry is "
        "chosen, its kernel is loaded and checked, all devices are brought to rest, and it takes over "
        "the machine. If anything fails before that, the menu comes back and says why.");
    page.emplace_back();
    page.emplace_back("", "Keys", Role::heading);
    page.emplace_back("Arrows, j k", "move the highlight; Page Up, Page Down, Home and End, too");
    for (const auto& binding : bindings()) {
        std::string keys(binding.name);
        if (binding.key >= Key::f1) {
            keys += ", F" + std::to_string(static_cast<int>(binding.key) - static_cast<int>(Key::f1) + 1);
        }
        page.emplace_back(keys, std::string(binding.help));
    }
    page.emplace_back("Esc, q", "go back from a page");
    page.emplace_back("Ctrl-L", "draw the screen again");
    page.emplace_back();
    page.emplace_back("", "Words", Role::heading);
    page.emplace_back("default", "what boots by itself, by the settings and the order of the devices");
    page.emplace_back("waiting", "the entry needs a device that is not there; the line below it says which");
    page.emplace_back(
        "",
        "The same things can be done from another place: see stillboot(1) and its commands list, boot, "
        "cancel and log.");
    return page;
}

}  // namespace stillboot::menu
