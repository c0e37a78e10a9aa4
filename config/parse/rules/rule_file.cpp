// SPDX-License-Identifier: Apache-2.0
// Rules from TOML tables, with a diagnostic for each thing that is not understood.
#include "config/parse/rules/rule_file.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>

#include "config/base/planted_defect.hpp"
#include "config/parse/settings/toml.hpp"

namespace stillboot {
namespace {

constexpr std::size_t max_file_bytes = 64 * 1024;
constexpr std::size_t max_files = 64;
constexpr std::size_t max_rules = 256;
constexpr std::size_t max_name = 64;
constexpr std::size_t max_text = 400;
constexpr std::size_t max_glob = 256;
constexpr std::int64_t max_deadline_seconds = 600;

using Refusal = std::optional<Message>;

Message not_understood(std::string_view code, const TomlItem& item) {
    return Message(code, {{"key", item.key}, {"value", item.value.written}});
}

Refusal set_name(Rule& rule, const TomlItem& item) {
    constexpr std::string_view accepted = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const auto& word = item.value.word;
    if (!word || word->empty() || word->size() > max_name ||
        (word->find_first_not_of(accepted) != word->npos && !planted_defect)) {
        return not_understood("config.rule_name", item);
    }
    rule.name = *word;
    return std::nullopt;
}

// It ends up on consoles and in journals, so no control character may pass.
Refusal set_text(std::string& text, const TomlItem& item) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    const auto& word = item.value.word;
    if (!word || word->empty() || word->size() > max_text || std::any_of(word->begin(), word->end(), is_control)) {
        return not_understood("config.rule_text", item);
    }
    text = *word;
    return std::nullopt;
}

Refusal set_action(Rule& rule, const TomlItem& item) {
    const auto action = rule_action_of(item.value.word.value_or(""));
    if (!action) {
        return not_understood("config.rule_action", item);
    }
    rule.action = *action;
    return std::nullopt;
}

Refusal set_deadline(Rule& rule, const TomlItem& item) {
    const auto& number = item.value.number;
    if (!number || *number < 1 || *number > max_deadline_seconds) {
        return not_understood("config.rule_deadline", item);
    }
    rule.deadline = std::chrono::seconds(*number);
    return std::nullopt;
}

// What fnmatch(3) would silently take as plain text: "[abc" and "abc\".
std::string_view mistake_in_glob(std::string_view glob) {
    for (std::size_t at = 0; at < glob.size(); ++at) {
        if (glob[at] == '\\' && ++at == glob.size()) {
            return "config.rule_glob_backslash";
        }
        if (glob[at] != '[') {
            continue;
        }
        std::size_t first = at + 1;
        first += first < glob.size() && (glob[first] == '!' || glob[first] == '^') ? 1U : 0U;
        at = glob.find(']', first + 1);  // one right behind the bracket is a member
        if (at == glob.npos) {
            return "config.rule_glob_open";
        }
    }
    return {};
}

Refusal set_globs(std::vector<std::string>& globs, const TomlItem& item) {
    const auto bad_size = [](const std::string& each) { return each.empty() || each.size() > max_glob; };
    const auto& list = item.value.list;
    if (!list || list->empty() || std::any_of(list->begin(), list->end(), bad_size)) {
        return not_understood("config.rule_globs", item);
    }
    for (const std::string& glob : *list) {
        if (const auto code = mistake_in_glob(glob); !code.empty()) {
            return Message(code, {{"key", item.key}, {"glob", glob}});
        }
    }
    globs = *list;
    return std::nullopt;
}

template <class Pattern>
Refusal set_patterns(std::vector<Pattern>& patterns, const TomlItem& item, std::string_view code,
                     std::optional<Pattern> (*read)(std::string_view)) {
    const auto& list = item.value.list;
    if (!list || list->empty()) {
        return not_understood(code, item);
    }
    for (const std::string& text : *list) {
        const auto pattern = read(text);
        if (!pattern) {
            return not_understood(code, item);
        }
        patterns.push_back(*pattern);
    }
    return std::nullopt;
}

struct Key {
    std::string_view name;
    bool required;
    Refusal (*set)(Rule&, const TomlItem&);
};

constexpr Key keys[] = {
    {"name", true, set_name},
    {"driver", false, [](Rule& r, const TomlItem& i) { return set_globs(r.drivers, i); }},
    {"bus", false, [](Rule& r, const TomlItem& i) { return set_globs(r.buses, i); }},
    {"path", false, [](Rule& r, const TomlItem& i) { return set_globs(r.paths, i); }},
    {"class", false, [](Rule& r, const TomlItem& i) { return set_globs(r.classes, i); }},
    {"modalias", false, [](Rule& r, const TomlItem& i) { return set_globs(r.modalias, i); }},
    {"pci_id", false,
     [](Rule& r, const TomlItem& i) { return set_patterns(r.pci_ids, i, "config.rule_pci_id", pci_id_pattern); }},
    {"pci_class", false,
     [](Rule& r, const TomlItem& i) {
         return set_patterns(r.pci_classes, i, "config.rule_pci_class", pci_class_pattern);
     }},
    {"action", true, set_action},
    {"deadline", false, set_deadline},
    {"why", true, [](Rule& r, const TomlItem& i) { return set_text(r.why, i); }},
    {"source", false, [](Rule& r, const TomlItem& i) { return set_text(r.source, i); }},
};

bool matches_something(std::string_view key) {
    constexpr std::string_view matching[] = {"driver", "bus", "path", "class", "modalias", "pci_id", "pci_class"};
    return std::find(std::begin(matching), std::end(matching), key) != std::end(matching);
}

class Reader {
public:
    explicit Reader(std::string_view file) : file_(file) {}

    ParsedRules read(std::string text) {
        TomlTables toml = read_toml_tables(file_, std::move(text), "rule");
        out_.diagnostics = std::move(toml.diagnostics);
        for (const TomlItem& item : toml.others) {
            say(item.line, item.column, Message("config.rule_outside", {{"key", item.key}}));
        }
        for (const TomlTable& table : toml.tables) {
            if (out_.rules.size() == max_rules) {
                say(table.line, table.column,
                    Message("config.rule_too_many", {{"limit", std::uint64_t{max_rules}}}));
                break;
            }
            read_rule(table);
        }
        if (!out_.diagnostics.empty()) {
            out_.rules.clear();
            say(0, 0, Message("config.rule_file_refused"));
        }
        return std::move(out_);
    }

private:
    void say(std::uint32_t line, std::uint32_t column, Message message) {
        out_.diagnostics.emplace_back(Severity::error, file_, line, column, std::move(message));
    }

    void read_rule(const TomlTable& table) {
        Rule rule;
        rule.file = file_;
        rule.line = table.line;
        for (const TomlItem& item : table.items) {
            const auto* key = std::find_if(std::begin(keys), std::end(keys),
                                           [&](const Key& each) { return each.name == item.key; });
            auto refusal = key == std::end(keys) ? Message("config.rule_unknown_key", {{"key", item.key}})
                                                 : key->set(rule, item);
            if (!refusal && item.key == "name") {
                refusal = name_again(rule);
            }
            if (refusal) {
                say(item.line, item.column, std::move(*refusal));
            }
        }
        check_complete(table);
        out_.rules.push_back(std::move(rule));
    }

    Refusal name_again(const Rule& rule) {
        const auto [first, is_new] = lines_.emplace(rule.name, rule.line);
        if (is_new) {
            return std::nullopt;
        }
        return Message("config.rule_name_twice", {{"name", rule.name}, {"line", first->second}});
    }

    void check_complete(const TomlTable& table) {
        const auto has = [&](std::string_view name) {
            return std::any_of(table.items.begin(), table.items.end(),
                               [&](const TomlItem& item) { return item.key == name; });
        };
        for (const Key& key : keys) {
            if (key.required && !has(key.name)) {
                say(table.line, table.column, Message("config.rule_missing_key", {{"key", key.name}}));
            }
        }
        if (std::none_of(table.items.begin(), table.items.end(),
                         [](const TomlItem& item) { return matches_something(item.key); })) {
            say(table.line, table.column, Message("config.rule_matches_all"));
        }
    }

    std::string file_;
    std::map<std::string, std::uint32_t> lines_;  // of the rules by name
    ParsedRules out_;
};

std::vector<std::string> rule_files(const Root& root) {
    constexpr std::string_view ending = ".toml";
    std::map<std::string, std::string> by_name;
    for (const std::string_view directory : {"/etc/stillboot/quiesce.d", "/run/stillboot/quiesce.d"}) {
        for (const std::string& name : root.list(directory).value_or(std::vector<std::string>())) {
            if (name.size() > ending.size() && name.ends_with(ending)) {
                by_name[name] = std::string(directory) + "/" + name;
            }
        }
    }
    std::vector<std::string> paths;
    for (const auto& [name, path] : by_name) {
        paths.push_back(path);
    }
    return paths;
}

template <class T>
void append(std::vector<T>& to, std::vector<T>&& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

ParsedRules parse_rule_file(std::string_view file, std::string text) {
    return Reader(file).read(std::move(text));
}

ParsedRules load_rule_files(const Root& root) {
    ParsedRules out;
    std::size_t files = 0;
    for (const std::string& path : rule_files(root)) {
        if (++files > max_files) {
            out.diagnostics.emplace_back(
                Severity::error, path, 0, 0,
                Message("config.rule_too_many_files", {{"limit", std::uint64_t{max_files}}}));
            continue;
        }
        auto text = root.read_file(path, max_file_bytes);
        if (!text) {
            out.diagnostics.emplace_back(Severity::error, path, 0, 0, text.error().message());
            continue;
        }
        ParsedRules read = parse_rule_file(path, std::move(*text));
        append(out.rules, std::move(read.rules));
        append(out.diagnostics, std::move(read.diagnostics));
    }
    return out;
}

}  // namespace stillboot
