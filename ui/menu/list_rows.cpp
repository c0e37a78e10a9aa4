// SPDX-License-Identifier: Apache-2.0
// How each row of the list looks.
#include <algorithm>

#include "ui/menu/list_view.hpp"

namespace stillboot::menu {
namespace {

using protocol::Device;
using protocol::DeviceState;
using protocol::Option;

std::string plural(std::size_t count, const std::string& word) {
    return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

std::string node_name(const Device& device) {
    const auto slash = device.node.rfind('/');
    return slash == std::string::npos ? device.node : device.node.substr(slash + 1);
}

/// Label, file system, size and node; the first of them are left out where the line is short.
std::string facts(const Device& device, int columns, Charset charset) {
    std::string out;
    const std::string parts[] = {node_name(device), human_size(device.size_bytes), device.filesystem,
                                 device.label};
    for (const auto& part : parts) {
        const std::string longer = out.empty() ? part : part + "  " + out;
        if (!part.empty() && width(longer, charset) <= columns) {
            out = longer;
        }
    }
    return out;
}

std::string problems(const Device& device) {
    const auto count = [&](Severity severity) {
        return static_cast<std::size_t>(
            std::count_if(device.diagnostics.begin(), device.diagnostics.end(),
                          [&](const Diagnostic& d) { return d.severity == severity; }));
    };
    const std::size_t errors = count(Severity::error);
    const std::size_t warnings = count(Severity::warning);
    if (errors != 0) {
        return plural(errors, "error");
    }
    return warnings != 0 ? plural(warnings, "warning") : std::string();
}

Line device_row(const Device* device, const Look& look) {
    LineBuilder line(look.columns, look.charset);
    if (device == nullptr) {
        return line.add(" ").add("A device that is not known", Role::heading).take();
    }
    const std::string trouble = problems(*device);
    const int trouble_columns = trouble.empty() ? 0 : width(trouble, look.charset) + 2;
    // The name comes first; facts have what it leaves, but the node's name always has its place.
    const int left = look.columns - width(caption(*device), look.charset) - trouble_columns - 3;
    const std::string right = facts(*device, std::clamp(left, 9, std::max(look.columns / 2, 9)), look.charset);
    const int taken = width(right, look.charset) + trouble_columns + 3;
    line.add(" ").add_clipped(caption(*device), look.columns - taken, Role::heading);
    if (!trouble.empty()) {
        line.add("  ").add(trouble, Role::warning);
    }
    return line.right(right + " ", Role::dim).take();
}

struct Tag {
    std::string text;
    Role role;
};

Tag tag_of(const Option& option, const Mirror& mirror) {
    if (option.state == protocol::OptionState::waiting) {
        return {"waiting ", Role::warning};
    }
    if (mirror.state().would_boot == option.id) {
        return {"default ", Role::good};
    }
    if (option.tries && option.tries->left == 0) {
        return {"no tries left ", Role::warning};
    }
    if (option.tries) {
        return {option.tries->left == 1 ? "1 try left " : std::to_string(option.tries->left) + " tries left ",
                Role::dim};
    }
    return option.is_default ? Tag{"default of this device ", Role::dim} : Tag{"", Role::dim};
}

Line option_row(const Option& option, int depth, bool selected, const Mirror& mirror, const Look& look) {
    const Role role = selected                                         ? Role::selected
                      : option.state == protocol::OptionState::waiting ? Role::dim
                                                                       : Role::normal;
    const bool utf8 = look.charset == Charset::utf8;
    const bool first = mirror.state().would_boot == option.id;
    LineBuilder line(look.columns, look.charset, selected ? Role::selected : Role::normal);
    line.add(selected ? (utf8 ? " \u25BA" : " >") : "  ");
    line.add(first ? " * " : "   ");
    line.pad_to(std::min(5 + 2 * depth, look.columns / 3));
    const Tag tag = tag_of(option, mirror);
    const int room = width(tag.text, look.charset) + 1;
    const bool both = line.left_over() - room >= 12;
    line.add_clipped(option.title.empty() ? option.id : option.title, line.left_over() - (both ? room : 0), role);
    if (both) {
        line.right(tag.text, selected ? Role::selected : tag.role);
    }
    return line.take();
}

Line note_row(const Device& device, bool selected, const Look& look) {
    const bool utf8 = look.charset == Charset::utf8;
    const Role base = selected ? Role::selected : Role::normal;
    Role role = device.state == DeviceState::failed      ? Role::error
                : device.state == DeviceState::container ? Role::warning
                                                         : Role::dim;
    role = selected ? Role::selected : role;
    LineBuilder line(look.columns, look.charset, base);
    line.add(selected ? (utf8 ? " \u25BA   " : " >   ") : "     ");
    const int name = std::clamp(look.columns / 3, 8, 30);
    line.add_clipped(caption(device), name - 1, base).pad_to(5 + name);
    return line.add(reason_of(device), role).take();
}

}  // namespace

std::string caption(const Device& device) {
    for (const auto* text : {&device.title, &device.model, &device.node, &device.id}) {
        if (!text->empty()) {
            return *text;
        }
    }
    return "?";
}

std::string reason_of(const Device& device) {
    if (device.reason) {
        return device.reason->sentence();
    }
    switch (device.state) {
        case DeviceState::queued: return Message("ui.queued").sentence();
        case DeviceState::scanning: return Message("ui.scanning").sentence();
        case DeviceState::found: return Message("ui.found_nothing").sentence();
        default: return Message("ui.reason_unknown").sentence();
    }
}

Line ListView::draw_row(const Row& row, bool selected, const Mirror& mirror, const Look& look) const {
    LineBuilder plain(look.columns, look.charset);
    const Option* option = mirror.option(row.id);
    switch (row.kind) {
        case Kind::device: return device_row(mirror.device(row.id), look);
        case Kind::submenu:
            return plain.pad_to(std::min(5 + 2 * row.depth, look.columns / 3)).add(row.text, Role::dim).take();
        case Kind::option: return option_row(*option, row.depth, selected, mirror, look);
        case Kind::waiting:
            plain.pad_to(std::min(7 + 2 * row.depth, look.columns / 3));
            return plain.add(option->reason ? option->reason->sentence() : "", Role::warning).take();
        case Kind::section: return plain.add(" ").add("Devices that offer nothing to boot", Role::heading).take();
        case Kind::note: return note_row(*mirror.device(row.id), selected, look);
        case Kind::blank: break;
    }
    return plain.take();
}

}  // namespace stillboot::menu
