// SPDX-License-Identifier: Apache-2.0
// The settings: a list, and one of them being changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/base/message.hpp"
#include "daemon/protocol/types.hpp"
#include "ui/menu/key.hpp"
#include "ui/menu/line_editor.hpp"
#include "ui/menu/screen.hpp"

namespace stillboot::menu {

class SettingsView {
public:
    /// What the daemon has now; the highlight stays on its setting.
    void set(std::vector<protocol::Setting> settings);

    /// Moves the highlight. False where the command is no movement.
    bool move(Command command);
    /// nullptr while there are none yet.
    [[nodiscard]] const protocol::Setting* selected() const;

    /// Begins to change the highlighted one.
    void edit(Charset charset);
    void stop_editing() { editor_.reset(); }
    [[nodiscard]] bool editing() const { return editor_.has_value(); }
    void press(const KeyPress& key, int columns);
    /// What is typed, and what is wrong with it: as the daemon would say it.
    [[nodiscard]] const std::string& text() const { return editor_->text(); }
    [[nodiscard]] std::optional<Message> problem() const;
    /// For this start alone, and not kept in the state store.
    [[nodiscard]] bool once() const { return once_; }
    void toggle_once() { once_ = !once_; }

    struct Drawn {
        std::vector<Line> lines;
        std::optional<Cursor> cursor;  ///< relative to the first line
    };
    /// At most `rows` lines, with the highlight or the field in sight.
    [[nodiscard]] Drawn draw(const Look& look, int rows);

private:
    [[nodiscard]] Line draw_row(const protocol::Setting& setting, bool highlighted, int values,
                                const Look& look) const;
    void draw_list(Drawn& drawn, const Look& look, int rows);
    void draw_editor(Drawn& drawn, const Look& look, int rows) const;
    [[nodiscard]] int widest_key() const;

    std::vector<protocol::Setting> settings_;
    std::size_t selected_ = 0;
    int top_ = 0;
    int page_ = 1;
    std::optional<LineEditor> editor_;
    bool once_ = false;
};

}  // namespace stillboot::menu
