// SPDX-License-Identifier: Apache-2.0
// Rule files: what they say, and each mistake with its place.
#include "config/parse/rules/rule_file.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using Lines = std::vector<std::string>;

namespace {

Lines texts(const ParsedRules& parsed) {
    Lines out;
    for (const Diagnostic& diagnostic : parsed.diagnostics) {
        out.push_back(diagnostic.text());
    }
    return out;
}

const std::string refused = "r.toml: error: none of this file's rules is in effect";
const std::string whole = "[[rule]]\nname = \"a\"\ndriver = \"x\"\naction = \"keep\"\nwhy = \"y\"\n";

std::string rule_file(const std::string& name) {
    return "[[rule]]\nname = \"" + name + "\"\ndriver = \"x\"\naction = \"keep\"\nwhy = \"y\"\n";
}

}  // namespace

TEST_SUITE("rules") {
    TEST_CASE("a rule with every key reads back as it was written") {
        const ParsedRules parsed = parse_rule_file(
            "r.toml",
            "# ours\n[[rule]]\nname = \"all.of-it_1\"\ndriver = [\"e1*\", \"ast\"]\nbus = \"pci\"\n"
            "path = \"*/0000:01:*\"\nclass = \"net\"\nmodalias = \"pci:v00008086d*\"\n"
            "pci_id = [\"8086:100E\", \"1af4:*\"]\npci_class = [\"02\", \"0300\", \"060000/ff8000\"]\n"
            "action = \"last\"\ndeadline = 600\nwhy = \"because\"\nsource = \"a list\"\n");
        CHECK(texts(parsed) == Lines{});
        REQUIRE(parsed.rules.size() == 1);
        const Rule& rule = parsed.rules[0];
        CHECK(rule.label() == "all.of-it_1 (r.toml:2)");
        CHECK(rule.match_text() ==
              "driver = e1* | ast, bus = pci, path = */0000:01:*, class = net, modalias = pci:v00008086d*, "
              "pci_id = 8086:100e | 1af4:*, pci_class = 020000/ff0000 | 030000/ffff00 | 060000/ff8000");
        CHECK(rule.action == RuleAction::last);
        CHECK(rule.deadline == std::chrono::seconds(600));
        CHECK(rule.why == "because");
        CHECK(rule.source == "a list");
        CHECK(parse_rule_file("r.toml", "").rules.empty());
        for (const char* word : {"unbind", "keep", "leave", "verify", "reset", "last"}) {
            const auto one =
                parse_rule_file("r.toml", "[[rule]]\nname = \"a\"\ndriver = \"x\"\nwhy = \"y\"\naction = \"" +
                                              std::string(word) + "\"\n");
            REQUIRE(one.rules.size() == 1);
            CHECK(to_word(one.rules[0].action) == word);
        }
    }

    TEST_CASE("each mistake refuses the file with its place") {
        struct Row {
            const char* line;  ///< the sixth of the file, behind a rule that is whole
            const char* text;
        };
        const Row rows[] = {
            {"colour = 1", "r.toml:6:10: error: a rule has no colour"},
            {"pci.id = 1", "r.toml:6:10: error: a rule has no pci.id"},
            {"deadline = 0", "r.toml:6:12: error: deadline must be a number of seconds from 1 to 600, not 0"},
            {"deadline = 601", "r.toml:6:12: error: deadline must be a number of seconds from 1 to 600, not 601"},
            {"deadline = 1.5", "r.toml:6:12: error: deadline must be a number of seconds from 1 to 600, not 1.5"},
            {"source = 7",
             "r.toml:6:10: error: source must be text of 1 to 400 bytes without control characters, not 7"},
            {"bus = true", "r.toml:6:7: error: bus must be a glob of 1 to 256 bytes or a list of them, not true"},
            {"bus = []", "r.toml:6:7: error: bus must be a glob of 1 to 256 bytes or a list of them, not []"},
            {"bus = 'a[b'", "r.toml:6:7: error: bus has the glob a[b, whose [ is never closed"},
            {"bus = '[]'", "r.toml:6:7: error: bus has the glob [], whose [ is never closed"},
            {"bus = 'a\\'", "r.toml:6:7: error: bus has the glob a\\, which ends in a backslash"},
            {"pci_id = '8086'",
             "r.toml:6:10: error: pci_id must be like \"8086:100e\" or \"8086:*\", or a list of such, not '8086'"},
            {"pci_class = '01/02'",
             "r.toml:6:13: error: pci_class must be like \"03\", \"0300\", \"030000\" or \"060000/ff8000\" (no "
             "bit "
             "outside the mask), or a list of such, not '01/02'"},
            {"pci_class = '010000/020000'",
             "r.toml:6:13: error: pci_class must be like \"03\", \"0300\", \"030000\" or \"060000/ff8000\" (no "
             "bit "
             "outside the mask), or a list of such, not '010000/020000'"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.line);
            const ParsedRules parsed = parse_rule_file("r.toml", whole + row.line + "\n");
            CHECK(texts(parsed) == Lines{row.text, refused});
            CHECK(parsed.rules.empty());
        }
    }

    TEST_CASE("what a rule lacks, a name that is taken, and what stands outside of rules") {
        CHECK(
            texts(parse_rule_file("r.toml", "x = 1\n[[rule]]\naction = \"stop\"\n")) ==
            Lines{
                "r.toml:1:5: error: x is not known here: a rule file holds [[rule]] tables and nothing else",
                "r.toml:3:10: error: action must be \"unbind\", \"keep\", \"leave\", \"verify\", \"reset\" or "
                "\"last\", "
                "not "
                "'stop'",
                "r.toml:2:1: error: this rule lacks its name", "r.toml:2:1: error: this rule lacks its why",
                "r.toml:2:1: error: this rule says nothing of which devices it is for; driver = \"*\" is for all",
                refused});
        CHECK(texts(parse_rule_file("r.toml", whole + whole)) ==
              Lines{"r.toml:7:8: error: there is a rule a in line 1 already", refused});
        CHECK(
            texts(parse_rule_file("r.toml", rule_file("a b"))) ==
            Lines{
                "r.toml:2:8: error: name must be 1 to 64 letters, digits, dots, dashes or underscores, not 'a b'",
                refused});
        std::string many;
        for (int i = 0; i < 257; ++i) {
            many += rule_file("r" + std::to_string(i));
        }
        CHECK(texts(parse_rule_file("r.toml", many)) ==
              Lines{"r.toml:1281:1: error: the file has more than 256 rules", refused});
    }

    TEST_CASE("a line that is no TOML refuses the file") {
        const ParsedRules parsed = parse_rule_file("r.toml", whole + "nonsense\n");
        REQUIRE(parsed.diagnostics.size() == 2);
        CHECK(parsed.diagnostics[0].message.code() == "config.toml_not_toml");
        CHECK(parsed.diagnostics[0].line == 6);
        CHECK(parsed.rules.empty());
    }

    TEST_CASE("rule files go by their names, and one in /run hides its namesake in /etc") {
        const test::TemporaryTree tree;
        tree.file("etc/stillboot/quiesce.d/20.toml", rule_file("hidden"));
        tree.file("run/stillboot/quiesce.d/20.toml", rule_file("second"));
        tree.file("run/stillboot/quiesce.d/10.toml", rule_file("first"));
        tree.file("etc/stillboot/quiesce.d/30.toml", rule_file("third"));
        tree.file("etc/stillboot/quiesce.d/40.txt", rule_file("none"));
        tree.file("etc/stillboot/quiesce.d/50.toml", std::string(70'000, '#'));
        const ParsedRules parsed = load_rule_files(tree.root());
        Lines names;
        for (const Rule& rule : parsed.rules) {
            names.push_back(rule.label());
        }
        CHECK(names == Lines{"first (/run/stillboot/quiesce.d/10.toml:1)",
                             "second (/run/stillboot/quiesce.d/20.toml:1)",
                             "third (/etc/stillboot/quiesce.d/30.toml:1)"});
        CHECK(texts(parsed) ==
              Lines{"/etc/stillboot/quiesce.d/50.toml: error: /etc/stillboot/quiesce.d/50.toml is "
                    "larger than the 65536 bytes that are accepted"});
    }

    TEST_CASE("the sixty-fifth rule file is left out") {
        const test::TemporaryTree tree;
        for (int i = 100; i < 165; ++i) {
            tree.file("etc/stillboot/quiesce.d/" + std::to_string(i) + ".toml",
                      rule_file("r" + std::to_string(i)));
        }
        const ParsedRules parsed = load_rule_files(tree.root());
        CHECK(parsed.rules.size() == 64);
        CHECK(texts(parsed) ==
              Lines{"/etc/stillboot/quiesce.d/164.toml: error: this file is left out: there are more "
                    "than 64 rule files"});
    }
}
