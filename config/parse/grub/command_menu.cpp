// SPDX-License-Identifier: Apache-2.0
// The commands that put lines into the menu.
#include "config/parse/bls/bls.hpp"
#include "config/parse/grub/evaluator.hpp"
#include "config/parse/grub/options.hpp"
#include "config/parse/grub/place.hpp"

namespace stillboot::grub {
namespace {

constexpr std::string_view value_options[] = {"--class", "--users", "--hotkey", "--source", "--id"};

/// The title and parameters of an entry apart from its options. An option that GRUB does not know counts as a
/// parameter, as grub-emu shows.
struct EntryWords {
    std::vector<std::string_view> parameters;
    std::string_view id;
    bool has_users = false;
    bool unrestricted = false;
};

EntryWords read_entry_words(Arguments arguments) {
    EntryWords out;
    for (std::size_t at = 1; at < arguments.size(); ++at) {
        const std::string_view word = arguments[at];
        if (word.substr(0, 2) != "--") {
            out.parameters.push_back(word);
            continue;
        }
        std::string_view option;
        for (const std::string_view known : value_options) {
            if (word.substr(0, known.size()) == known &&
                (word.size() == known.size() || word[known.size()] == '=')) {
                option = known;
            }
        }
        if (option.empty()) {
            if (word == "--unrestricted") {
                out.unrestricted = true;
            } else {
                out.parameters.push_back(word);
            }
            continue;
        }
        std::string_view value;
        if (word.size() > option.size()) {
            value = word.substr(option.size() + 1);
        } else if (at + 1 < arguments.size()) {
            value = arguments[++at];
        }
        if (option == "--id") {
            out.id = value;
        }
        out.has_users = out.has_users || option == "--users";
    }
    return out;
}

/// The words of a command line with one blank between them; what stands in double quotes stays.
std::string squeeze(std::string_view text) {
    std::string out;
    bool quoted = false;
    for (const char c : text) {
        quoted = quoted != (c == '"');
        if (c != ' ' || quoted || (!out.empty() && out.back() != ' ')) {
            out += c;
        }
    }
    if (!out.empty() && out.back() == ' ') {
        out.pop_back();
    }
    return out;
}

}  // namespace

int Evaluator::do_menuentry(const Call& call) {
    const std::string_view command = call.arguments[0];
    const EntryWords words =
        read_entry_words(call.arguments.first(call.arguments.size() - (call.node.has_block ? 1 : 0)));
    if (words.parameters.empty()) {
        report(Severity::error, call, Message("grub.entry_without_title", {{"command", command}}));
        return status::bad_argument;
    }
    if (!call.node.has_block) {
        report(Severity::error, call, Message("grub.entry_without_body", {{"title", words.parameters[0]}}));
        return status::bad_argument;
    }
    if (menu_ == nullptr) {
        report(Severity::warning, call, Message("grub.entry_in_entry", {{"title", words.parameters[0]}}));
        return status::ok;
    }
    if (++entries_ > limits_.menu_entries || permanent_.used() > limits_.output_bytes) {
        give_up(call.script, call.node.offset,
                Message("grub.too_many_entries", {{"limit", std::uint64_t{limits_.menu_entries}}}));
        return status::failed;
    }
    MenuItem item;
    item.script = &call.script;
    item.offset = call.node.offset;
    item.body = call.node.block;
    item.submenu = command == "submenu";
    // Where both stand, GRUB asks for one of the users, as grub-emu shows.
    item.unrestricted = words.unrestricted && !words.has_users;
    item.id = permanent_.copy(words.id);
    auto parameters = permanent_.copy(Arguments(words.parameters));
    for (std::string_view& parameter : parameters) {
        parameter = permanent_.copy(parameter);
    }
    item.parameters = parameters;
    menu_->items.push_back(item);
    return status::ok;
}

/// The variables in a value of an entry file: "$name" and "${name}", nothing else.
std::string Evaluator::expand_text(std::string_view text) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const bool braced = text.substr(at, 2) == "${";
        const std::size_t start = at + (braced ? 2 : 1);
        std::size_t end = start;
        while (text[at] == '$' && end < text.size() && is_letter(text[end])) {
            ++end;
        }
        if (text[at] != '$' || end == start || (braced && text.substr(end, 1) != "}")) {
            out += text[at++];
            continue;
        }
        if (out.size() <= limits_.variable_bytes) {
            out += environment_.get(text.substr(start, end - start));
        }
        at = end + (braced ? 1 : 0);
    }
    return out;
}

int Evaluator::do_blscfg(const Call& call) {
    if (menu_ == nullptr) {
        return status::ok;
    }
    const auto boot = device_named(environment_.get(environment_.is_set("boot") ? "boot" : "root"));
    if (!boot) {
        report(
            Severity::warning, call,
            Message("grub.unknown_device", {{"device", environment_.get("root")}, {"file", "/loader/entries"}}));
        return status::no_device;
    }
    BlsOptions options;
    options.device = *boot;
    options.loader_conf.clear();
    options.select_default = false;
    options.expand = [this](std::string_view text) { return expand_text(text); };
    if (environment_.is_set("blsdir")) {
        options.directory = environment_.get("blsdir");
    } else if (source_.kind(*boot, options.directory) != FileSource::Kind::directory &&
               source_.kind(*boot, "/boot/loader/entries") == FileSource::Kind::directory) {
        options.directory = "/boot/loader/entries";
        options.path_prefix = "/boot";
    }
    if (source_.kind(*boot, options.directory) != FileSource::Kind::directory) {
        report(Severity::warning, call, Message("grub.no_entries_directory", {{"directory", options.directory}}));
        return status::no_file;
    }
    Parsed parsed = parse_bls(source_, options);
    for (Diagnostic& diagnostic : parsed.diagnostics) {
        diagnostics_.add(std::move(diagnostic));
    }
    add_bls_entries(call, std::move(parsed.options));
    return status::ok;
}

void Evaluator::add_bls_entries(const Call& call, std::vector<BootOption> options) {
    for (BootOption& option : options) {
        if (++entries_ > limits_.menu_entries) {
            give_up(call.script, call.node.offset,
                    Message("grub.too_many_entries", {{"limit", std::uint64_t{limits_.menu_entries}}}));
            return;
        }
        // GRUB cuts the expanded text into words, so that a variable of nothing leaves no blank.
        option.args = squeeze(option.args);
        MenuItem item;
        item.script = &call.script;
        item.offset = call.node.offset;
        item.id = permanent_.copy(option.id);
        const std::string_view title = permanent_.copy(option.title);
        item.parameters = permanent_.copy(Arguments(&title, 1));
        item.ready = ready_.size();
        ready_.push_back(std::move(option));
        menu_->items.push_back(item);
    }
}

}  // namespace stillboot::grub
