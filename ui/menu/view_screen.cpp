// SPDX-License-Identifier: Apache-2.0
// The screens of the menu.
#include <algorithm>

#include "ui/menu/view_model.hpp"

namespace stillboot::menu {

using protocol::Phase;

namespace {

std::string count_words(std::size_t count, const std::string& one, const std::string& many) {
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

constexpr int rows_for_air = 16;  ///< below this many rows, blank lines are left out

}  // namespace

/// What will happen by itself, and which key prevents it: the first thing on the screen.
std::vector<ViewModel::Sentence> ViewModel::phase_status(Instant now) const {
    const auto& state = mirror_.state();
    const std::string title = quoted_title(state.would_boot.value_or(""));
    switch (state.phase) {
        case Phase::countdown: {
            const std::uint64_t seconds = (remaining_ms(now) + 999) / 1000;
            const auto* code = seconds == 0   ? "ui.countdown_now"
                               : seconds == 1 ? "ui.countdown_one"
                                              : "ui.countdown";
            return {{Message(code, {{"title", title}, {"seconds", seconds}}).sentence(), Role::attention},
                    {Message(stop_code()).sentence(), Role::attention}};
        }
        case Phase::waiting:
            return {{Message("ui.waiting", {{"why", state.why.sentence()}}).sentence(), Role::heading},
                    {Message(stop_code()).sentence(), Role::attention}};
        case Phase::discovering:
            return {{Message("ui.discovering").sentence(), Role::heading},
                    {Message("ui.discovering_how").sentence(), Role::normal}};
        case Phase::handover: return {{Message("ui.starting", {{"title", title}}).sentence(), Role::attention}};
        case Phase::idle: break;
    }
    if (mirror_.option_count() == 0) {
        return {{Message("ui.nothing").sentence(), Role::warning},
                {Message("ui.nothing_how").sentence(), Role::normal}};
    }
    return {{Message("ui.choose").sentence(), Role::heading}, {Message("ui.choose_how").sentence(), Role::normal}};
}

/// What a key does to the clock here.
const char* ViewModel::stop_code() const {
    return lock_.locked() ? "ui.locked_clock" : held() ? "ui.strict" : "ui.countdown_stop";
}

/// What happens by itself stays in sight above the prompt: it goes on.
std::vector<ViewModel::Sentence> ViewModel::lock_status(Instant now) const {
    const std::string stars(lock_.typed(), '*');
    const Sentence away{Message("ui.unreachable").sentence(), Role::error};
    std::vector<Sentence> sentences{whole_ ? phase_status(now).front() : away,
                                    {Message("ui.password", {{"stars", stars}}).sentence(), Role::heading}};
    if (holds_back()) {
        sentences.push_back({kept_back_is().sentence(), Role::normal});
    }
    sentences.push_back({lock_.says(now).sentence(), Role::attention});
    return sentences;
}

std::vector<ViewModel::Sentence> ViewModel::status(Instant now) const {
    if (lock_.asking()) {
        return lock_status(now);
    }
    if (mode_ == Mode::confirm_restart || mode_ == Mode::confirm_power_off) {
        const bool restart = mode_ == Mode::confirm_restart;
        return {{Message(restart ? "ui.confirm_restart" : "ui.confirm_power_off").sentence(), Role::attention},
                {Message("ui.confirm_how").sentence(), Role::attention}};
    }
    if (!whole_) {
        if (connected_ || unreachable_reason_.empty()) {
            return {{Message("ui.connecting").sentence(), Role::heading}};
        }
        return {{Message("ui.unreachable").sentence(), Role::error},
                {Message("ui.unreachable_reason", {{"reason", unreachable_reason_}}).sentence(), Role::normal},
                {Message(lock_.locked() || lock_.unknown() ? "ui.locked_away" : "ui.retrying").sentence(),
                 Role::normal}};
    }
    auto sentences = phase_status(now);
    if (lock_.locked() && !counting() && mirror_.state().phase != Phase::waiting) {
        sentences.push_back({Message("ui.locked").sentence(), Role::normal});
    }
    const auto& state = mirror_.state();
    if (state.last_failure) {
        sentences.push_back(
            {Message("ui.last_failure", {{"reason", state.last_failure->sentence()}}).sentence(), Role::error});
    }
    if (state.better_default) {
        sentences.push_back(
            {Message("ui.better_default", {{"title", quoted_title(*state.better_default)}}).sentence(),
             Role::warning});
    }
    return sentences;
}

void ViewModel::add_lines(Screen& screen, const Sentence& sentence, int at_most) const {
    auto lines = wrap(sentence.text, std::max(look_.columns - 4, 1), look_.charset);
    for (int i = 0; i < at_most && i < static_cast<int>(lines.size()); ++i) {
        const bool cut = i + 1 == at_most && static_cast<int>(lines.size()) > at_most;
        const auto& text = lines[static_cast<std::size_t>(i)];
        LineBuilder line(look_.columns, look_.charset);
        screen.lines.push_back(
            line.add("  ")
                .add(cut ? text + (look_.charset == Charset::utf8 ? "\u2026" : ">") : text, sentence.role)
                .take());
    }
}

void ViewModel::draw_status(Screen& screen, Instant now) const {
    const bool air = look_.rows >= rows_for_air;
    const std::size_t limit = screen.lines.size() + static_cast<std::size_t>(std::max(look_.rows / 3, 1));
    if (air) {
        screen.lines.push_back(blank());
    }
    for (const auto& sentence : status(now)) {
        if (screen.lines.size() < limit) {
            add_lines(screen, sentence, std::min(3, static_cast<int>(limit - screen.lines.size())));
        }
    }
    if (counting() && air && mode_ == Mode::list) {
        LineBuilder line(look_.columns, look_.charset);
        line.add("  ").add(
            gauge(remaining_ms(now), countdown_total_ms_, std::min(20, look_.columns - 4), look_.charset),
            Role::attention);
        const std::string why = mirror_.state().why.sentence();
        screen.lines.push_back(
            line.add("  ").add(Message("ui.countdown_why", {{"why", why}}).sentence(), Role::dim).take());
    }
    if (air) {
        screen.lines.push_back(blank());
    }
}

void ViewModel::draw_list(Screen& screen, Instant now, int rows) {
    draw_status(screen, now);
    const bool air = look_.rows >= rows_for_air;
    const int room = rows - static_cast<int>(screen.lines.size()) - (air || notice_ ? 1 : 0);
    for (auto& line : list_.draw(mirror_, look_, std::max(room, 1))) {
        screen.lines.push_back(std::move(line));
    }
    if (notice_) {
        LineBuilder line(look_.columns, look_.charset);
        screen.lines.push_back(line.add("  ").add(notice_->text, notice_->role).take());
    } else if (air) {
        LineBuilder line(look_.columns, look_.charset);
        std::string more;
        if (list_.hidden_above() > 0) {
            more = count_words(static_cast<std::size_t>(list_.hidden_above()), "line above  ", "lines above  ");
        }
        if (list_.hidden_below() > 0) {
            more += count_words(static_cast<std::size_t>(list_.hidden_below()), "line below ", "lines below ");
        }
        screen.lines.push_back(line.right(more, Role::dim).take());
    }
}

void ViewModel::draw_text(Screen& screen, TextView& text, int rows) {
    const bool air = look_.rows >= rows_for_air;
    if (air) {
        screen.lines.push_back(blank());
    }
    const int room = std::max(rows - static_cast<int>(screen.lines.size()) - (air ? 1 : 0), 1);
    for (auto& line : text.draw(look_, room)) {
        screen.lines.push_back(std::move(line));
    }
    if (air) {
        LineBuilder line(look_.columns, look_.charset);
        const auto below = static_cast<std::size_t>(text.hidden_below());
        screen.lines.push_back(
            line.right(below > 0 ? count_words(below, "more line ", "more lines ") : "", Role::dim).take());
    }
}

void ViewModel::draw_editor(Screen& screen, int rows) const {
    const bool air = look_.rows >= rows_for_air;
    const auto text_line = [&](const std::string& text, Role role) {
        LineBuilder line(look_.columns, look_.charset);
        screen.lines.push_back(line.add("  ").add(text, role).take());
    };
    if (air) {
        screen.lines.push_back(blank());
    }
    text_line(editor_title_, Role::heading);
    text_line("Its command line, for this boot alone: nothing is written to a disk.", Role::normal);
    if (air) {
        screen.lines.push_back(blank());
    }
    const int room = std::max(rows - static_cast<int>(screen.lines.size()) - (air ? 3 : 0), 1);
    const auto field = draw_field(screen.lines, *editor_, look_, room);
    screen.cursor = field.cursor;
    if (air) {
        screen.lines.push_back(blank());
        const std::string size =
            std::to_string(editor_->size_bytes()) + " bytes" + (editor_->changed() ? ", changed" : "");
        text_line(size + (field.clipped ? ", longer than the screen" : ""), Role::dim);
    }
}

void ViewModel::draw_settings(Screen& screen, int rows) {
    const bool air = look_.rows >= rows_for_air;
    if (air) {
        screen.lines.push_back(blank());
    }
    const int first = static_cast<int>(screen.lines.size());
    auto drawn = settings_.draw(look_, std::max(rows - first - (notice_ ? 2 : 0), 1));
    screen.lines.insert(screen.lines.end(), drawn.lines.begin(), drawn.lines.end());
    if (drawn.cursor) {
        screen.cursor = Cursor{first + drawn.cursor->row, drawn.cursor->column};
    }
    if (notice_) {
        while (static_cast<int>(screen.lines.size()) < rows - 2) {
            screen.lines.push_back(blank());
        }
        add_lines(screen, *notice_, 2);
    }
}

void ViewModel::draw_handover(Screen& screen, int rows) const {
    const std::string option =
        mirror_.state().progress ? mirror_.state().progress->option : mirror_.state().would_boot.value_or("");
    const bool air = look_.rows >= rows_for_air;
    if (air) {
        screen.lines.push_back(blank());
    }
    add_lines(screen, {Message("ui.starting", {{"title", quoted_title(option)}}).sentence(), Role::attention}, 2);
    add_lines(screen,
              {Message(lock_.locked() ? "ui.locked_handover" : "ui.handover_stop").sentence(), Role::normal}, 2);
    if (air) {
        screen.lines.push_back(blank());
    }
    for (auto& line : progress_.draw(look_, std::max(rows - static_cast<int>(screen.lines.size()), 1))) {
        screen.lines.push_back(std::move(line));
    }
}

Line ViewModel::header() const {
    LineBuilder line(look_.columns, look_.charset, Role::bar);
    const std::string version = mirror_.state().version.empty() ? STILLBOOT_VERSION : mirror_.state().version;
    line.add(" Stillboot " + version);
    if (handing_over()) {
        return line.take();
    }
    switch (mode_) {
        case Mode::page: return line.right(page_title_ + " ", Role::bar).take();
        case Mode::messages:
            return line.right(show_log_ ? " problems  [Log] " : "[Problems]  log ", Role::bar).take();
        case Mode::settings: return line.right("Settings ", Role::bar).take();
        case Mode::editor: return line.right("Edit the command line ", Role::bar).take();
        default: break;
    }
    const std::string entries = count_words(mirror_.option_count(), "entry", "entries");
    const std::string devices = count_words(mirror_.devices().size(), "device ", "devices ");
    const std::string locked = lock_.locked() ? "locked   " : "";
    return whole_ ? line.right(locked + entries + " on " + devices, Role::bar).take() : line.take();
}

std::vector<std::pair<std::string, std::string>> ViewModel::footer_keys() const {
    using Keys = std::vector<std::pair<std::string, std::string>>;
    if (handing_over()) {
        return lock_.locked() ? Keys() : Keys{{"Esc", "Stop"}};
    }
    if (lock_.asking()) {
        return {{"Enter", "Unlock"}, {"Esc", "Back"}, {"^U", "Anew"}};
    }
    switch (mode_) {
        case Mode::page: return {{"Esc", "Back"}, {"Up Down", "Scroll"}};
        case Mode::messages:
            return {{"Esc", "Back"}, {"Tab", show_log_ ? "Problems" : "Log"}, {"Up Down", "Scroll"}};
        case Mode::editor:
            return {{"Enter", "Boot"},
                    {"Esc", "Back"},
                    {"^A ^E", "Ends"},
                    {"^W ^U ^K", "Delete"},
                    {"^R", "As it was"}};
        case Mode::settings:
            return settings_.editing()
                       ? Keys{{"Enter", "Set"}, {"Tab", settings_.once() ? "Keep" : "Once"}, {"Esc", "Back"}}
                       : Keys{{"Enter", "Change"}, {"Del", "Forget"}, {"Esc", "Back"}, {"Up Down", "Move"}};
        case Mode::confirm_restart: return {{"y", "Restart"}, {"Esc", "Back"}};
        case Mode::confirm_power_off: return {{"y", "Power off"}, {"Esc", "Back"}};
        case Mode::list: break;
    }
    std::vector<std::pair<std::string, std::string>> keys;
    for (const auto& binding : bindings()) {
        if (binding.command == Command::lock && !lock_.wanted()) {
            continue;
        }
        keys.emplace_back(binding.name, binding.label);
    }
    return keys;
}

Line ViewModel::footer() const {
    const auto keys = footer_keys();
    int needed = 0;
    for (const auto& [key, label] : keys) {
        needed += static_cast<int>(key.size() + label.size()) + 2;
    }
    const std::string gap(needed + static_cast<int>(keys.size()) <= look_.columns ? 2 : 1, ' ');
    LineBuilder line(look_.columns, look_.charset, Role::bar);
    line.add(" ");
    for (const auto& [key, label] : keys) {
        if (static_cast<int>(key.size() + label.size()) + 1 > line.left_over()) {
            break;
        }
        line.add(key, Role::bar_key).add(" " + label + gap);
    }
    return line.take();
}

Screen ViewModel::screen(Instant now) {
    Screen screen;
    const bool bars = look_.rows >= 6;
    const int body = look_.rows - (bars ? 1 : 0);
    if (bars) {
        screen.lines.push_back(header());
    }
    if (handing_over()) {
        draw_handover(screen, body);
    } else if (lock_.asking()) {
        draw_list(screen, now, body);
    } else if (mode_ == Mode::page) {
        draw_text(screen, page_, body);
    } else if (mode_ == Mode::messages) {
        draw_text(screen, messages_, body);
    } else if (mode_ == Mode::editor) {
        draw_editor(screen, body);
    } else if (mode_ == Mode::settings) {
        draw_settings(screen, body);
    } else {
        draw_list(screen, now, body);
    }
    while (static_cast<int>(screen.lines.size()) < body) {
        screen.lines.push_back(blank());
    }
    screen.lines.resize(static_cast<std::size_t>(body));
    if (bars) {
        screen.lines.push_back(footer());
    }
    return screen;
}

}  // namespace stillboot::menu
