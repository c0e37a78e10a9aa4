// SPDX-License-Identifier: Apache-2.0
// The list of devices and their options: its rows, what is highlighted, what is in sight.
#pragma once

#include <string>
#include <vector>

#include "ui/menu/key.hpp"
#include "ui/menu/mirror.hpp"
#include "ui/menu/screen.hpp"

namespace stillboot::menu {

class ListView {
public:
    /// Makes the rows anew from what is known. The highlight stays on its entry; until a key has moved it, it
    /// follows what would boot. An entry that is gone leaves the highlight on what took its place.
    void rebuild(const Mirror& mirror);

    /// Moves the highlight; page keys go by the rows drawn last. False where the command is no movement.
    bool move(Command command);

    /// The highlighted option or device; nullptr where the highlight is on another kind or the list is empty.
    [[nodiscard]] const protocol::Option* selected_option(const Mirror& mirror) const;
    [[nodiscard]] const protocol::Device* selected_device(const Mirror& mirror) const;

    /// `rows` lines, scrolled so that the highlight is in sight. Only rows in sight are made.
    [[nodiscard]] std::vector<Line> draw(const Mirror& mirror, const Look& look, int rows);
    /// Rows out of sight above and below, as drawn last.
    [[nodiscard]] int hidden_above() const { return top_; }
    [[nodiscard]] int hidden_below() const;

private:
    enum class Kind { blank, device, submenu, option, waiting, section, note };
    struct Row {
        Kind kind = Kind::blank;
        std::string id;  ///< of the option or device
        std::string text;
        int depth = 0;

        [[nodiscard]] bool selectable() const { return kind == Kind::option || kind == Kind::note; }
    };
    void add_options(const std::vector<const protocol::Option*>& options);
    void add_group(const protocol::Device* device, const std::vector<const protocol::Option*>& options);
    void keep_selection(const Mirror& mirror);
    [[nodiscard]] int find(Kind kind, const std::string& id) const;
    [[nodiscard]] int nearest(int from, int step) const;
    void scroll(int rows);
    [[nodiscard]] Line draw_row(const Row& row, bool selected, const Mirror& mirror, const Look& look) const;

    std::vector<Row> rows_;
    int selected_ = -1;
    Kind selected_kind_ = Kind::blank;
    std::string selected_id_;
    bool touched_ = false;
    int top_ = 0;
    int page_ = 1;
};

/// "Samsung 980, part 2", or what else names a device to a person.
[[nodiscard]] std::string caption(const protocol::Device& device);
/// What a device without options has to say for itself: never empty.
[[nodiscard]] std::string reason_of(const protocol::Device& device);

}  // namespace stillboot::menu
