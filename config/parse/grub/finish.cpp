// SPDX-License-Identifier: Apache-2.0
// The menu as the user would see it: each entry is run as if it were chosen, and becomes an option.
#include <utility>

#include "config/parse/grub/evaluator.hpp"

namespace stillboot::grub {

void Evaluator::finish_menu(Menu& menu, bool is_default, const Script& script) {
    if (menu.items.empty()) {
        return;
    }
    const std::string wanted(environment_.get("default"));
    const Selection selection = select(menu, wanted);
    if (is_default && !selection.found) {
        diagnostics_.report(Severity::warning, script, menu.items[0].offset,
                            Message("grub.default_missing", {{"default", wanted}}));
    }
    result_.parsed.options.reserve(result_.parsed.options.size() + menu.items.size());
    names_.reserve(names_.size() + menu.items.size());
    for (std::size_t at = 0; at < menu.items.size(); ++at) {
        const MenuItem& item = menu.items[at];
        const bool chosen = is_default && at == selection.index;
        // Whatever stopped the script before its menu does not stop an entry.
        flow_ = Flow::go_on;
        if (steps_ > limits_.steps || expansion_bytes_ > limits_.expansion_bytes) {
            return;
        }
        const bool outer_protected = protected_;
        protected_ = protected_ || (environment_.is_set("superusers") && !item.unrestricted);
        if (item.submenu) {
            finish_submenu(item, chosen, chosen ? selection.rest : "");
        } else {
            finish_entry(item, chosen);
        }
        protected_ = outer_protected;
    }
    flow_ = Flow::go_on;
}

// A new context, as GRUB opens one: only what is exported is seen inside.
void Evaluator::finish_submenu(const MenuItem& item, bool is_default, std::string_view rest) {
    const Environment::Scope scope(environment_);
    environment_.hide_unexported();
    const std::string outer_chosen = choose(item);
    if (rest.empty()) {
        environment_.unset("default");
    } else {
        environment_.set("default", rest);
    }
    Menu menu;
    Parameters parameters{item.parameters};
    Menu* const outer_menu = std::exchange(menu_, &menu);
    Parameters* const outer_parameters = std::exchange(parameters_, &parameters);
    run_script(*item.script, item.body);
    menu_ = nullptr;
    submenus_.emplace_back(item.title());
    finish_menu(menu, is_default, *item.script);
    submenus_.pop_back();
    menu_ = outer_menu;
    parameters_ = outer_parameters;
    chosen_ = outer_chosen;
}

// Sets $chosen, the way that leads to an item; gives what it was.
std::string Evaluator::choose(const MenuItem& item) {
    std::string outer = chosen_;
    chosen_.append(chosen_.empty() ? "" : ">").append(item.id.empty() ? item.title() : item.id);
    environment_.set("chosen", chosen_);
    return outer;
}

void Evaluator::finish_entry(const MenuItem& item, bool is_default) {
    if (item.ready) {
        add_option(item, std::move(ready_[*item.ready]), is_default);
        return;
    }
    const Environment::Scope scope(environment_);
    const std::string outer_chosen = choose(item);
    Loaded loaded;
    loaded.is_default = is_default;
    Parameters parameters{item.parameters};
    Loaded* const outer_loaded = std::exchange(loaded_, &loaded);
    Menu* const outer_menu = std::exchange(menu_, nullptr);
    Parameters* const outer_parameters = std::exchange(parameters_, &parameters);
    submenus_.emplace_back(item.title());
    run_script(*item.script, item.body);
    submenus_.pop_back();
    loaded_ = outer_loaded;
    menu_ = outer_menu;
    parameters_ = outer_parameters;
    chosen_ = outer_chosen;
    if (loaded.kernel) {
        add_option(item, std::move(loaded.option), is_default);
    } else {
        explain_missing(item, loaded);
        if (is_default && !loaded.menu) {
            diagnostics_.report(Severity::warning, *item.script, item.offset,
                                Message("grub.default_not_listed", {{"title", item.title()}}));
        }
    }
}

void Evaluator::explain_missing(const MenuItem& item, const Loaded& loaded) {
    if (!loaded.other.empty()) {
        diagnostics_.report(Severity::note, *item.script, item.offset,
                            Message("grub.entry_other", {{"title", item.title()}, {"command", loaded.other}}));
    } else if (!loaded.menu && !loaded.explained) {
        diagnostics_.report(Severity::warning, *item.script, item.offset,
                            Message("grub.entry_no_kernel", {{"title", item.title()}}));
    } else if (loaded.explained) {
        diagnostics_.report(Severity::warning, *item.script, item.offset,
                            Message("grub.entry_unresolved", {{"title", item.title()}}));
    }
}

// The password guards a console of GRUB's, which is not here: leaving the entry out would protect nothing, for
// whoever reaches this menu can edit any other.
void Evaluator::explain_protected(const MenuItem& item) {
    if (item.ready) {
        // Which of the entry files is open to everyone is for GRUB alone.
        diagnostics_.report(Severity::note, *item.script, item.offset, Message("grub.entries_protected"));
        return;
    }
    diagnostics_.report(Severity::warning, *item.script, item.offset,
                        Message("grub.entry_protected", {{"title", item.title()}}));
}

void Evaluator::add_option(const MenuItem& item, BootOption&& option, bool is_default) {
    const std::size_t bytes = sizeof(BootOption) + option.args.size() + item.title().size() +
                              option.initrds.size() * sizeof(Resource) + item.script->name().size();
    output_bytes_ += bytes;
    if (output_bytes_ > limits_.output_bytes) {
        give_up(*item.script, item.offset, Message("grub.too_much_output", {{"limit", limits_.output_bytes}}));
        return;
    }
    option.id = unique_name(item);
    option.title = item.title();
    option.is_default = is_default;
    option.submenus = submenus_;
    if (!item.ready) {
        option.source = Source{"grub", item.script->name(), item.script->position(item.offset).line};
    }
    result_.parsed.options.push_back(std::move(option));
    if (protected_) {
        explain_protected(item);
    }
}

std::string Evaluator::unique_name(const MenuItem& item) {
    std::string name(item.id);
    if (name.empty()) {
        for (const std::string& submenu : submenus_) {
            name += slug(submenu) + "/";
        }
        name += slug(item.title());
    }
    const std::uint32_t count = ++names_[item.id.empty() ? permanent_.copy(name) : item.id];
    if (count == 1) {
        return name;
    }
    // Another entry may be called what this one would become.
    std::string numbered = name + "#" + std::to_string(count);
    while (!names_.try_emplace(permanent_.copy(numbered), 1).second) {
        numbered += "'";
    }
    return numbered;
}

}  // namespace stillboot::grub
