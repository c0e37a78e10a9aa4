// SPDX-License-Identifier: Apache-2.0
// A machine for the tests of the menu's view model.
#pragma once

#include <string>

#include "daemon/protocol/types.hpp"
#include "ui/menu/view_model.hpp"

namespace stillboot::test {

inline Message said(std::string_view text) {
    return Message("daemon.said", {{"text", text}});
}

inline protocol::Option option(const std::string& id, const std::string& title, const std::string& device,
                               std::uint32_t order) {
    protocol::Option made;
    made.id = id;
    made.title = title;
    made.device_id = device;
    made.order = order;
    made.kernel.path = "/boot/vmlinuz";
    made.initrds = {Resource{"/boot/initrd.img", {}, "", ""}};
    made.args = "root=/dev/sda2 ro quiet";
    made.source = {"grub", "/boot/grub/grub.cfg", 102};
    return made;
}

inline protocol::Device device(const std::string& id, const std::string& order, const std::string& title) {
    protocol::Device made;
    made.id = id;
    made.order = order;
    made.node = "/dev/" + id;
    made.title = title;
    made.filesystem = "ext4";
    made.size_bytes = 480'000'000'000;
    made.state = protocol::DeviceState::found;
    return made;
}

inline protocol::State state(protocol::Phase phase) {
    protocol::State made;
    made.phase = phase;
    made.why = said("it stands first");
    made.version = "0.1.0";
    return made;
}

inline protocol::State counting_state(const std::string& would_boot, std::uint64_t remaining_ms) {
    auto made = state(protocol::Phase::countdown);
    made.would_boot = would_boot;
    made.remaining_ms = remaining_ms;
    return made;
}

/// Two systems on sda2 (one in a submenu), a waiting one on sdb1, and three devices that offer nothing.
inline protocol::Change machine(protocol::State now) {
    protocol::Change change;
    change.seq = 1;
    change.state = std::move(now);
    auto debian = option("sda2/0", "Debian GNU/Linux", "sda2", 0);
    debian.is_default = true;
    auto recovery = option("sda2/1", "Debian (recovery mode)", "sda2", 1);
    recovery.submenus = {"Advanced options"};
    auto waiting = option("sdb1/0", "Fedora", "sdb1", 0);
    waiting.state = protocol::OptionState::waiting;
    waiting.reason = Message("config.device_missing", {{"kind", "uuid"}, {"value", "1f2e"}});
    change.options = {waiting, recovery, debian};
    auto luks = device("sdc1", "3", "WDC, part 1");
    luks.state = protocol::DeviceState::container;
    luks.reason = said("an encrypted volume");
    auto empty = device("sda1", "1", "Samsung, part 1");
    empty.state = protocol::DeviceState::empty;
    empty.reason = said("no boot configuration");
    auto failed = device("sdd", "4", "Flash Disk");
    failed.state = protocol::DeviceState::failed;
    failed.reason = said("the file system is damaged");
    auto fedora = device("sdb1", "2", "SanDisk, part 1");
    fedora.diagnostics = {Diagnostic(Severity::warning, "/boot/x.cfg", 3, 1, said("an unknown key"))};
    change.devices = {failed, luks, fedora, device("sda2", "0", "Samsung, part 2"), empty};
    return change;
}

/// A view model that has been told of the machine, and a clock that a test sets.
struct Menu {
    explicit Menu(protocol::State first, menu::Look look = {24, 80, menu::Charset::utf8}) : view(look) {
        (void)view.on_connected();
        actions = view.on_change(machine(std::move(first)), now);
    }
    menu::Actions key(menu::Key which) { return view.on_key({which, ""}, now); }
    menu::Actions type(const std::string& letter) { return view.on_key({menu::Key::character, letter}, now); }
    menu::Actions control(const std::string& letter) { return view.on_key({menu::Key::control, letter}, now); }
    menu::Actions tell(protocol::State next) {
        protocol::Change change;
        change.state = std::move(next);
        return view.on_change(change, now);
    }
    [[nodiscard]] std::string text() { return view.screen(now).text(); }
    [[nodiscard]] bool shows(const std::string& words) { return text().find(words) != std::string::npos; }
    /// The row that starts with the pointer of the highlight.
    [[nodiscard]] std::string highlighted() {
        const std::string all = text();
        const auto at = all.find(" \u25BA");
        return at == std::string::npos ? "" : all.substr(at, all.find('\n', at) - at);
    }

    menu::ViewModel view;
    menu::ViewModel::Instant now{};
    menu::Actions actions;
};

}  // namespace stillboot::test
