// SPDX-License-Identifier: Apache-2.0
// Entries of the Boot Loader Specification: what they become, in which order, and what is said of bad ones.
#include "config/parse/bls/bls.hpp"

#include <doctest/doctest.h>

#include "config/parse/bls/entry.hpp"
#include "tests/config/parse/memory_source.hpp"

using namespace stillboot;
using test::MemorySource;
using Lines = std::vector<std::string>;

namespace {

BlsOptions for_x64() {
    BlsOptions options;
    options.architecture = "x64";
    return options;
}

Lines texts(const Parsed& parsed) {
    Lines out;
    for (const Diagnostic& diagnostic : parsed.diagnostics) {
        out.push_back(diagnostic.text());
    }
    return out;
}

Lines ids(const Parsed& parsed) {
    Lines out;
    for (const BootOption& option : parsed.options) {
        out.push_back(option.id + (option.is_default ? "*" : ""));
    }
    return out;
}

/// A source of entries that are complete but for the lines given, each with its kernel in place.
MemorySource entries(const std::vector<std::pair<std::string, std::string>>& by_name) {
    MemorySource source;
    source.devices[0].files["/k"] = "kernel";
    for (const auto& [name, lines] : by_name) {
        source.devices[0].files["/loader/entries/" + name] = "linux /k\n" + lines;
    }
    return source;
}

}  // namespace

TEST_SUITE("bls") {
    TEST_CASE("an entry becomes an option with all its parts") {
        MemorySource source({{"/loader/entries/6a9857a3-6.18.conf",
                              "# a comment\r\n"
                              "title        Fedora 42 (Workstation)\r\n"
                              "version      6.18.0-1.fc42.x86_64\n"
                              "machine-id   6a9857a393724b7a981ebb5b8495b9ea\n"
                              "sort-key\tfedora\n"
                              "options      root=UUID=6d3376e4 quiet\n"
                              "options      rd.luks=0\n"
                              "architecture X64\n"
                              "  linux        /6a98/6.18/linux\n"
                              "initrd       /6a98/6.18/initrd-a\n"
                              "initrd       /6a98/6.18/initrd-b\n"
                              "devicetree   /6a98/board.dtb\n"
                              "grub_class   fedora\n"},
                             {"/6a98/6.18/linux", ""},
                             {"/6a98/6.18/initrd-a", ""},
                             {"/6a98/6.18/initrd-b", ""},
                             {"/6a98/board.dtb", ""},
                             {"/loader/entries/notes.txt", "linux /x\n"}});
        const Parsed parsed = parse_bls(source, for_x64());
        CHECK(texts(parsed) == Lines{});
        REQUIRE(parsed.options.size() == 1);
        const BootOption& option = parsed.options[0];
        CHECK(option.id == "6a9857a3-6.18");
        CHECK(option.title == "Fedora 42 (Workstation)");
        CHECK(option.version == "6.18.0-1.fc42.x86_64");
        CHECK(option.sort_key == "fedora");
        CHECK(option.args == "root=UUID=6d3376e4 quiet rd.luks=0");
        CHECK(option.kernel.path == "/6a98/6.18/linux");
        CHECK(option.kernel.device.is_self());
        REQUIRE(option.initrds.size() == 2);
        CHECK(option.initrds[0].path == "/6a98/6.18/initrd-a");
        CHECK(option.initrds[1].path == "/6a98/6.18/initrd-b");
        REQUIRE(option.devicetree);
        CHECK(option.devicetree->path == "/6a98/board.dtb");
        CHECK_FALSE(option.tries);
        CHECK(option.is_default);
        CHECK(option.source == Source{"bls", "/loader/entries/6a9857a3-6.18.conf", 9});
    }

    TEST_CASE("the order is sort-key, machine-id, version downwards, then file name downwards") {
        MemorySource source = entries({{"a.conf", ""},
                                       {"b.conf", ""},
                                       {"c-9.conf", "sort-key deb\nmachine-id 1\nversion 6.9\n"},
                                       {"c-10.conf", "sort-key deb\nmachine-id 1\nversion 6.10\n"},
                                       {"d.conf", "sort-key deb\nmachine-id 0\nversion 1\n"},
                                       {"e.conf", "sort-key arch\n"}});
        CHECK(ids(parse_bls(source, for_x64())) == Lines{"e*", "d", "c-10", "c-9", "b", "a"});
    }

    TEST_CASE("counters leave the name, and an entry without tries goes last and is no default") {
        MemorySource source =
            entries({{"z+0-3.conf", ""}, {"y+2-1.conf", ""}, {"x+3.conf", ""}, {"w+x.conf", ""}, {"+1.conf", ""}});
        const Parsed parsed = parse_bls(source, for_x64());
        CHECK(ids(parsed) == Lines{"+1*", "y", "x", "w+x", "z"});
        CHECK(parsed.options[1].tries == BootTries{2, 1});
        CHECK(parsed.options[2].tries == BootTries{3, 0});
        CHECK_FALSE(parsed.options[3].tries);
        CHECK(parsed.options[4].tries == BootTries{0, 3});
    }

    TEST_CASE("why an entry without tries is last is said at its file") {
        MemorySource source = entries({{"a+0-3.conf", ""}, {"b+1.conf", ""}});
        const Parsed parsed = parse_bls(source, for_x64());
        REQUIRE(parsed.diagnostics.size() == 1);
        CHECK(
            parsed.diagnostics[0].text() ==
            "/loader/entries/a+0-3.conf: note: no try is left after 3: this entry comes last, and boots by itself "
            "only where nothing else is there");
    }

    TEST_CASE("loader.conf's default is none where it has no try left and another entry has") {
        MemorySource source = entries({{"first+0-3.conf", ""}, {"other.conf", ""}});
        source.devices[0].files["/loader/loader.conf"] = "default first*\n";
        Parsed parsed = parse_bls(source, for_x64());
        CHECK(ids(parsed) == Lines{"other*", "first"});
        CHECK(parsed.diagnostics.back().text() ==
              "/loader/loader.conf:1:9: note: the default first* is \"first\", which has no try left: the first "
              "entry "
              "with one is the default");

        source = entries({{"first+0-3.conf", ""}, {"other+0.conf", ""}});
        source.devices[0].files["/loader/loader.conf"] = "default first*\n";
        parsed = parse_bls(source, for_x64());
        CHECK(ids(parsed) == Lines{"other", "first*"});
    }

    TEST_CASE("where every entry is without tries the first is the default") {
        MemorySource source = entries({{"a+0.conf", ""}, {"b+0-1.conf", ""}});
        CHECK(ids(parse_bls(source, for_x64())) == Lines{"b*", "a"});
    }

    TEST_CASE("file names of entries are taken apart") {
        CHECK_FALSE(bls_entry_of_name("a.con"));
        CHECK_FALSE(bls_entry_of_name(".conf"));
        CHECK(bls_entry_of_name("a+1-2-3.conf")->id == "a+1-2-3");
        CHECK(bls_entry_of_name("a+1-.conf")->id == "a+1-");
        CHECK(bls_entry_of_name("a+-1.conf")->id == "a+-1");
        CHECK(bls_entry_of_name("a+99999999999.conf")->id == "a+99999999999");
        CHECK(bls_entry_of_name("a+b+4.conf")->id == "a+b");
        CHECK(bls_entry_of_name("a+b+4.conf")->tries->left == 4);
    }

    TEST_CASE("loader.conf names the default by a pattern") {
        struct Row {
            const char* name;
            const char* text;
            Lines expected;
        };
        const Row rows[] = {
            {"pattern with suffix", "default b*.conf\n", {"c", "b*", "a"}},
            {"id alone", "default a\n", {"c", "b", "a*"}},
            {"any case", "default A.CONF\n", {"c", "b", "a*"}},
            {"the last line counts", "default a\ndefault b\n", {"c", "b*", "a"}},
            {"comment only", "#default a\n", {"c*", "b", "a"}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            MemorySource source = entries({{"a.conf", ""}, {"b.conf", ""}, {"c.conf", ""}});
            source.devices[0].files["/loader/loader.conf"] = row.text;
            const Parsed parsed = parse_bls(source, for_x64());
            CHECK(ids(parsed) == row.expected);
            CHECK(texts(parsed) == Lines{});
        }
    }

    TEST_CASE("what loader.conf asks for in vain is said") {
        MemorySource source = entries({{"a.conf", ""}});
        source.devices[0].files["/loader/loader.conf"] = "timeout 3\n# editor yes\ndefault a\n  editor no\n";
        const Parsed parsed = parse_bls(source, for_x64());
        CHECK(ids(parsed) == Lines{"a*"});
        const std::string why = " has no effect here: the settings of Stillboot count";
        CHECK(texts(parsed) == Lines{"/loader/loader.conf:1:1: note: timeout" + why,
                                     "/loader/loader.conf:4:3: note: editor" + why});
    }

    TEST_CASE("a default that cannot be found is said and the first entry takes its place") {
        MemorySource source = entries({{"a.conf", ""}});
        source.devices[0].files["/loader/loader.conf"] = "#\n default  @saved\n";
        Parsed parsed = parse_bls(source, for_x64());
        CHECK(ids(parsed) == Lines{"a*"});
        CHECK(texts(parsed) == Lines{"/loader/loader.conf:2:11: note: the default @saved is kept in the firmware, "
                                     "which is not asked: the first entry is the default"});
        source.devices[0].files["/loader/loader.conf"] = "default x*\n";
        parsed = parse_bls(source, for_x64());
        CHECK(ids(parsed) == Lines{"a*"});
        CHECK(texts(parsed) ==
              Lines{"/loader/loader.conf:1:9: warning: no entry matches the default x*: the first "
                    "entry is the default"});
        source.unreadable.insert("/loader/loader.conf");
        parsed = parse_bls(source, for_x64());
        CHECK(ids(parsed) == Lines{"a*"});
        CHECK(texts(parsed) ==
              Lines{"/loader/loader.conf: error: /loader/loader.conf cannot be read: EIO (Input/output error)"});
    }

    TEST_CASE("entries that cannot be booted here are left out, each with its reason") {
        MemorySource source({{"/loader/entries/a.conf", "title x\n"},
                             {"/loader/entries/b.conf", "title x\nefi /EFI/x.efi\n"},
                             {"/loader/entries/c.conf", "linux /k\narchitecture aa64\n"},
                             {"/loader/entries/d.conf", "linux\n"},
                             {"/loader/entries/e.conf", std::string(65 * 1024, '#')},
                             {"/loader/entries/f.conf", "linux /k\n"},
                             {"/k", ""}});
        source.unreadable.insert("/loader/entries/f.conf");
        const Parsed parsed = parse_bls(source, for_x64());
        CHECK(parsed.options.empty());
        CHECK(
            texts(parsed) ==
            Lines{"/loader/entries/d.conf:1:1: warning: linux has no value and is left out",
                  "/loader/entries/e.conf: error: /loader/entries/e.conf is larger than the 65536 bytes that are "
                  "accepted",
                  "/loader/entries/f.conf: error: /loader/entries/f.conf cannot be read: EIO (Input/output error)",
                  "/loader/entries/d.conf: error: this entry is left out: it names no kernel",
                  "/loader/entries/c.conf:2:14: note: this entry is left out: it is for aa64, and this machine is "
                  "x64",
                  "/loader/entries/b.conf:2:5: warning: this entry is left out: /EFI/x.efi is a program for EFI "
                  "firmware, which is not in this build",
                  "/loader/entries/a.conf: error: this entry is left out: it names no kernel"});
    }

    TEST_CASE("what is odd in an entry is said at its place and the entry stays") {
        MemorySource source({{"/loader/entries/a.conf",
                              "\xEF\xBB\xBFlinux k\n\n"
                              "colour blue\n"
                              "initrd /missing\n"
                              "devicetree-overlay /x\n"
                              "options root=/dev/sda $kernelopts quiet\n"
                              "options\n"},
                             {"/k", ""}});
        const Parsed parsed = parse_bls(source, for_x64());
        REQUIRE(parsed.options.size() == 1);
        CHECK(parsed.options[0].title == "a");
        CHECK(parsed.options[0].kernel.path == "/k");
        CHECK(parsed.options[0].args == "root=/dev/sda $kernelopts quiet");
        CHECK(
            texts(parsed) ==
            Lines{
                "/loader/entries/a.conf:3:1: note: the key colour is not known and is left out",
                "/loader/entries/a.conf:5:1: warning: devicetree-overlay is not applied: devicetree overlays are "
                "not in this build",
                "/loader/entries/a.conf:6:23: warning: $kernelopts stays as it is: it is a variable of GRUB, and "
                "nothing here sets it"});
    }

    TEST_CASE("variables are expanded where there is someone to do it") {
        MemorySource source(
            {{"/loader/entries/a.conf",
              "title $t\nlinux /k\ninitrd /i $extra\ninitrd $none\noptions $opts\noptions $none\n"},
             {"/k", ""},
             {"/i", ""},
             {"/j", ""},
             {"/loader/loader.conf", "default a\n"}});
        BlsOptions options = for_x64();
        options.select_default = false;
        options.expand = [](std::string_view text) {
            std::string out(text);
            for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
                     {"$t", "Title"}, {"$extra", "/j"}, {"$opts", "root=/dev/vda"}, {"$none", ""}}) {
                if (const std::size_t at = out.find(name); at != out.npos) {
                    out.replace(at, name.size(), value);
                }
            }
            return out;
        };
        const Parsed parsed = parse_bls(source, options);
        CHECK(texts(parsed) == Lines{});
        REQUIRE(parsed.options.size() == 1);
        CHECK(parsed.options[0].title == "Title");
        REQUIRE(parsed.options[0].initrds.size() == 2);
        CHECK(parsed.options[0].initrds[1].path == "/j");
        CHECK(parsed.options[0].args == "root=/dev/vda");
        CHECK_FALSE(parsed.options[0].is_default);
    }

    TEST_CASE("entries on another device point to it, and a prefix finds what was written for a partition") {
        MemorySource source;
        source.devices.push_back(
            {DeviceId(),
             {{"/boot/loader/entries/a.conf", "linux /k\ninitrd /boot/i\n"}, {"/boot/k", ""}, {"/boot/i", ""}}});
        source.devices[1].id.uuid = "abcd";
        BlsOptions options = for_x64();
        options.directory = "/boot/loader/entries";
        options.path_prefix = "/boot";
        options.device = {DeviceRef::Kind::uuid, "ABCD"};
        const Parsed parsed = parse_bls(source, options);
        CHECK(texts(parsed) == Lines{});
        REQUIRE(parsed.options.size() == 1);
        CHECK(parsed.options[0].kernel.path == "/boot/k");
        CHECK(parsed.options[0].initrds[0].path == "/boot/i");
        CHECK(parsed.options[0].kernel.device == options.device);
    }

    TEST_CASE("the number of entries has a limit, which is said") {
        MemorySource source;
        for (int i = 1000; i < 2001; ++i) {
            source.devices[0].files["/loader/entries/" + std::to_string(i) + ".conf"] = "linux /k\n";
        }
        source.devices[0].files["/k"] = "";
        const Parsed parsed = parse_bls(source, for_x64());
        CHECK(parsed.options.size() == 1000);
        CHECK(texts(parsed) ==
              Lines{"/loader/entries/2000.conf: warning: this entry and those after it are left out: "
                    "there are more than 1000"});
    }
}
