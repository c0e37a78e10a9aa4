// SPDX-License-Identifier: Apache-2.0
// An interface's text as members, for the tests that hold the C++ against it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stillboot::test {

/// A field's name to its type, as it is written, with one space where there are any.
using Fields = std::map<std::string, std::string>;

struct Member {
    std::string kind;  ///< "method", "type" or "error"
    std::string name;
    std::string role;  ///< of a method: the word behind "Role: " in the comment in front of it
    Fields takes;
    Fields answers;
};

/// "(a: int, b: (x, y))" from its opening parenthesis on; `at` is set behind the closing one.
inline Fields fields_at(std::string_view text, std::size_t& at) {
    Fields fields;
    std::string name;
    std::string type;
    bool in_type = false;
    const auto end_field = [&] {
        if (!name.empty()) {
            fields[name] = type;
        }
        name.clear();
        type.clear();
        in_type = false;
    };
    for (int depth = 0; at < text.size();) {
        const char c = text[at++];
        depth += c == '(' ? 1 : 0;
        depth -= c == ')' ? 1 : 0;
        if (depth == 0) {
            break;
        }
        if (c == ',' && depth == 1) {
            end_field();
        } else if (c == ':' && depth == 1) {
            in_type = true;
        } else if (c != ' ' && c != '\n' && !(c == '(' && depth == 1)) {
            (in_type ? type : name) += c;
        }
    }
    end_field();
    return fields;
}

inline std::vector<Member> members_of(std::string_view text) {
    std::vector<Member> members;
    std::string role;
    for (std::size_t at = 0; at < text.size();) {
        const auto line = text.substr(at, text.find('\n', at) - at);
        const std::size_t space = line.find(' ');
        const auto kind = line.substr(0, space);
        if (kind == "method" || kind == "type" || kind == "error") {
            Member& member = members.emplace_back();
            member.kind = kind;
            std::size_t open = text.find('(', at);
            member.name = text.substr(at + space + 1, open - at - space - 1);
            member.name.erase(member.name.find_last_not_of(' ') + 1);
            member.takes = fields_at(text, open);
            if (kind == "method") {
                member.role = std::exchange(role, "");
                member.answers = fields_at(text, open = text.find('(', open));
            }
            at = open;
        } else if (line.starts_with("# Role: ")) {
            role = line.substr(8, line.find('.') - 8);
        }
        at = text.find('\n', at) + 1;
    }
    return members;
}

inline std::set<std::string> names_of(const std::vector<Member>& members, std::string_view kind) {
    std::set<std::string> names;
    for (const auto& member : members) {
        if (member.kind == kind) {
            names.insert(member.name);
        }
    }
    return names;
}

}  // namespace stillboot::test
