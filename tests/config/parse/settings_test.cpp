// SPDX-License-Identifier: Apache-2.0
// Settings: what each layer sets, what is refused and how that reads.
#include "config/parse/settings/settings.hpp"

#include <doctest/doctest.h>

#include "config/parse/settings/kernel_command_line.hpp"
#include "config/parse/settings/value.hpp"
#include "tests/temporary_tree.hpp"

using namespace stillboot;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

namespace {

LoadedSettings parse(std::vector<SettingsFile> files, std::string command_line) {
    return parse_settings({std::move(files), {}, std::move(command_line), {}});
}

Lines texts(const LoadedSettings& loaded) {
    Lines out;
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
        out.push_back(diagnostic.text());
    }
    return out;
}

LoadedSettings one_file(std::string_view text) {
    return parse({{"/etc/s.toml", std::string(text)}}, "");
}

// Each of these lines is left out, with a sentence of the TOML library's own, which differs by its version.
void check_bad_lines(const LoadedSettings& loaded, std::uint32_t first, std::uint32_t last) {
    REQUIRE(loaded.diagnostics.size() == last - first + 1);
    for (std::uint32_t line = first; line <= last; ++line) {
        CHECK(loaded.diagnostics[line - first].message.code() == "config.toml_syntax");
        CHECK(loaded.diagnostics[line - first].line == line);
    }
}

}  // namespace

TEST_SUITE("settings") {
    TEST_CASE("without any file the built-in defaults hold and say so") {
        const LoadedSettings loaded = parse({}, "");
        CHECK(loaded.settings.timeout.value == seconds(10));
        CHECK(loaded.settings.timeout.origin.text() == "built-in default");
        CHECK(loaded.settings.order.value == Lines{"internal", "removable"});
        CHECK(loaded.settings.trial.value == Trial::automatic);
        CHECK(loaded.settings.moving.value == Moving::refuse);
        CHECK(loaded.settings.quiesce.value == QuiesceMode::remove);
        CHECK(loaded.settings.keep.value.empty());
        CHECK(loaded.settings.probe_parallel.value == 2);
        CHECK(loaded.diagnostics.empty());
    }

    TEST_CASE("boot rules and strict mode, from a file and over it from the command line") {
        const LoadedSettings loaded =
            parse({{"/etc/s.toml",
                    "boot = [\"device=d wait=5\", \"@default\"]\nstrict = true\nstrict_limit = 60\n"
                    "strict_retries = 0\nfinal_action = \"poweroff\"\n"}},
                  "stillboot.boot_first=title=Debian?GNU*,id=x");
        CHECK(texts(loaded) == Lines{});
        const Settings& set = loaded.settings;
        REQUIRE(set.boot.value.size() == 2);
        CHECK(set.boot.value[0].wait == seconds(5));
        CHECK(set.boot.origin.text() == "/etc/s.toml:1");
        REQUIRE(set.boot_first.value.size() == 2);
        CHECK(set.boot_first.value[0].title == "Debian?GNU*");
        CHECK(set.boot_first.origin.text() == "kernel command line");
        CHECK(set.strict.value);
        CHECK(set.strict_limit.value == seconds(60));
        CHECK(set.strict_retries.value == 0);
        CHECK(set.final_action.value == FinalAction::power_off);
    }

    TEST_CASE("what is wrong in them is said, and the value before it stays") {
        CHECK(
            texts(one_file("boot = [\"colour=red\"]\n")) ==
            Lines{
                "/etc/s.toml:1:8: error: boot must be a list of rules (\"@default\", or id=, title=, device=, "
                "format= with * and ?, type=internal or removable, wait=SECONDS), not [ 'colour=red' ]; the value "
                "from built-in default stays"});
        CHECK(
            texts(one_file("strict_limit = 9\nstrict_retries = 1001\nfinal_action = \"halt\"\n")) ==
            Lines{"/etc/s.toml:1:16: error: strict_limit must be a number of seconds from 10 to 86400, not 9; the "
                  "value from built-in default stays",
                  "/etc/s.toml:2:18: error: strict_retries must be a number from 0 to 1000, not 1001; the value "
                  "from built-in default stays",
                  "/etc/s.toml:3:16: error: final_action must be \"menu\", \"shell\", \"reboot\" or "
                  "\"poweroff\", not 'halt'; the value from built-in default stays"});
    }

    TEST_CASE("a file sets every setting and each remembers its line") {
        const LoadedSettings loaded = one_file(
            "timeout = 3\n"
            "order = [\"pci-*\", \"removable\"]\n"
            "trial = \"always\"\nmoving = \"allow\"\nkeep = [\"xhci_hcd\"]\n"
            "settle_deadline = 7\nlog_level = \"debug\"\n"
            "[probe]\nparallel = 4\ndeadline = 60\n");
        CHECK(texts(loaded) == Lines{});
        CHECK(loaded.settings.timeout.value == seconds(3));
        CHECK(loaded.settings.timeout.origin.text() == "/etc/s.toml:1");
        CHECK(loaded.settings.order.value == Lines{"pci-*", "removable"});
        CHECK(loaded.settings.order.origin.line == 2);
        CHECK(loaded.settings.trial.value == Trial::always);
        CHECK(loaded.settings.trial.origin.line == 3);
        CHECK(loaded.settings.moving.value == Moving::allow);
        CHECK(loaded.settings.moving.origin.line == 4);
        CHECK(loaded.settings.keep.value == Lines{"xhci_hcd"});
        CHECK(loaded.settings.keep.origin.line == 5);
        CHECK(loaded.settings.settle_deadline.value == seconds(7));
        CHECK(loaded.settings.settle_deadline.origin.line == 6);
        CHECK(loaded.settings.log_level.value == LogLevel::debug);
        CHECK(loaded.settings.log_level.origin.line == 7);
        CHECK(loaded.settings.probe_parallel.value == 4);
        CHECK(loaded.settings.probe_parallel.origin.line == 9);
        CHECK(loaded.settings.probe_deadline.value == seconds(60));
        CHECK(loaded.settings.probe_deadline.origin.line == 10);
    }

    TEST_CASE("the kernel command line goes over the files and never means never") {
        const LoadedSettings loaded =
            parse({{"/etc/s.toml", "timeout = 3\ntrial = \"always\"\n"}},
                  "quiet stillboot.timeout=never stillboot.keep=ahci,xhci_hcd stillboot.settle-deadline=9 "
                  "stillboot.order=\"usb x,internal\" -- stillboot.moving=allow");
        CHECK(texts(loaded) == Lines{});
        CHECK(loaded.settings.timeout.value == std::nullopt);
        CHECK(loaded.settings.timeout.origin.text() == "kernel command line");
        CHECK(loaded.settings.keep.value == Lines{"ahci", "xhci_hcd"});
        CHECK(loaded.settings.settle_deadline.value == seconds(9));
        CHECK(loaded.settings.order.value == Lines{"usb x", "internal"});
        CHECK(loaded.settings.trial.value == Trial::always);
        CHECK(loaded.settings.moving.value == Moving::refuse);
    }

    TEST_CASE("a value that is not accepted costs only itself and leaves the one before it") {
        const LoadedSettings loaded =
            parse({{"/usr/s.toml", "timeout = 5\n"},
                   {"/etc/s.toml", "timeout = \"soon\"\n  trial = 7\nkeep = [1]\nmoving=\"allow\"\n"}},
                  "stillboot.timeout=-1 stillboot.nonsense");
        CHECK(loaded.settings.timeout.value == seconds(5));
        CHECK(loaded.settings.timeout.origin.text() == "/usr/s.toml:1");
        CHECK(loaded.settings.moving.value == Moving::allow);
        CHECK(
            texts(loaded) ==
            Lines{
                "/etc/s.toml:1:11: error: timeout must be a number of seconds from 0 to 86400, or \"never\", not "
                "'soon'; the value from /usr/s.toml:1 stays",
                "/etc/s.toml:2:11: error: trial must be \"auto\", \"always\" or \"never\", not 7; the value from "
                "built-in default stays",
                "/etc/s.toml:3:8: error: keep must be a list of driver names, not [ 1 ]; the value from built-in "
                "default stays",
                "kernel command line:1: error: timeout must be a number of seconds from 0 to 86400, or \"never\", "
                "not -1; the value from /usr/s.toml:1 stays",
                "kernel command line:22: warning: there is no setting nonsense"});
    }

    TEST_CASE("each setting has its bounds") {
        struct Row {
            const char* name;
            const char* line;
            bool accepted;
        };
        const Row rows[] = {
            {"timeout least", "timeout = 0", true},
            {"timeout most", "timeout = 86400", true},
            {"timeout beyond", "timeout = 86401", false},
            {"timeout as text", "timeout = \"7\"", false},
            {"timeout fraction", "timeout = 1.5", false},
            {"timeout table", "[timeout]\nx = 1", false},
            {"parallel none", "probe.parallel = 0", false},
            {"parallel most", "probe.parallel = 64", true},
            {"parallel more", "probe.parallel = 65", false},
            {"deadline none", "probe.deadline = 0", false},
            {"deadline most", "probe.deadline = 3600", true},
            {"settle beyond", "settle_deadline = 3601", false},
            {"one driver as text", "keep = \"ahci\"", true},
            {"empty driver", "keep = [\"\"]", false},
            {"no driver", "keep = []", true},
            {"order number", "order = 1", false},
            {"no watchdog", "watchdog = 0", true},
            {"watchdog least", "watchdog = 10", true},
            {"watchdog less", "watchdog = 9", false},
            {"watchdog beyond", "watchdog = 3601", false},
            {"watchdog as text", "watchdog = \"yes\"", false},
            {"a hang and the watchdog", "on_hang = \"watchdog\"", true},
            {"a hang and else", "on_hang = \"watch\"", false},
            {"after moving", "hook.on_moving = \"restart\"", true},
            {"after moving other", "hook.on_moving = \"refuse\"", false},
            {"after a hang", "hook.on_hang = \"jump\"", true},
            {"after a hang other", "hook.on_hang = true", false},
            {"budget least", "hook.budget = 5", true},
            {"budget less", "hook.budget = 4", false},
            {"budget more", "hook.budget = 601", false},
            {"no password", "password = \"none\"", true},
            {"yescrypt", "password = \"$y$j9T$salt./$hash./09azAZ\"", true},
            {"sha512", "password = \"$6$rounds=9000$salt$hash\"", true},
            {"the password itself", "password = \"correct horse\"", false},
            {"an empty password", "password = \"\"", false},
            {"a hash with white space", "password = \"$6$sa lt$hash\"", false},
            {"a hash without its salt", "password = \"$6hash\"", false},
            {"never locked again", "lock_after = 0", true},
            {"locked again least", "lock_after = 5", true},
            {"locked again sooner", "lock_after = 4", false},
            {"locked again beyond", "lock_after = 86401", false},
            {"hooks none", "hooks.deadline = 0", false},
            {"hooks most", "hooks.deadline = 3600", true},
            {"events", "events = [\"file:/e\", \"program:/p\", \"syslog:\", \"syslog:[::1]:514\"]", true},
            {"events elsewhere", "events = [\"tape:/e\"]", false},
            {"script", "script = \"/s\"", true},
            {"script of a device", "script = \"label=boot:/s\"", true},
            {"script none", "script = \"none\"", true},
            {"script without a path", "script = \"s\"", false},
            {"script as a number", "script = 1", false},
            {"script too slow", "script_deadline = 3601", false},
            {"listen nowhere", "listen = []", true},
            {"listen everywhere", "listen = [\"[::]:5253\", \"192.0.2.1:80\"]", true},
            {"listen on one", "listen = \"0.0.0.0:5253\"", true},
            {"listen on a name", "listen = [\"localhost:5253\"]", false},
            {"listen without a port", "listen = [\"[::1]\"]", false},
            {"listen on port 0", "listen = [\"[::1]:0\"]", false},
            {"listen past the ports", "listen = [\"[::1]:65536\"]", false},
            {"listen without brackets", "listen = [\"::1:80\"]", false},
            {"listen with too many", "listen = [\"[127.0.0.1]:80\"]", false},
            {"listen with more", "listen = [\"[::1]:80 \"]", false},
            {"log level", "log_level = \"warning\"", true},
            {"log level other", "log_level = \"loud\"", false},
            {"moving other", "moving = true", false},
            {"quiesce minimal", "quiesce = \"minimal\"", true},
            {"quiesce off", "quiesce = \"off\"", true},
            {"quiesce other", "quiesce = \"maximal\"", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(one_file(row.line).diagnostics.empty() == row.accepted);
        }
    }

    TEST_CASE("a line that is no TOML is left out and the rest is read") {
        const LoadedSettings loaded = one_file("timeout = 4\ntrial == always\n\xC3\xA4 = 1\nmoving = \"allow\"\n");
        CHECK(loaded.settings.timeout.value == seconds(4));
        CHECK(loaded.settings.moving.value == Moving::allow);
        check_bad_lines(loaded, 2, 3);
    }

    TEST_CASE("columns count bytes, behind letters of several too") {
        const LoadedSettings loaded = one_file("\"\xC3\xA4\xC3\xB6\" = 1\n");
        REQUIRE(loaded.diagnostics.size() == 1);
        CHECK(loaded.diagnostics[0].text() == "/etc/s.toml:1:10: warning: there is no setting \xC3\xA4\xC3\xB6");
    }

    TEST_CASE("letters beyond ASCII stand in strings and comments of every kind") {
        const std::string a = "\xC3\xA4";
        const LoadedSettings loaded =
            one_file("# " + a + "\nkeep = [\"" + a + "\\\"" + a + "\", '" + a + "\\', \"\"\"" + a + "\n\"" + a +
                     "\"\"\", '''" + a + "\n'" + a + "''']\ntimeout = 3 # " + a + "\n");
        CHECK(texts(loaded) == Lines{});
        CHECK(loaded.settings.keep.value == Lines{a + "\"" + a, a + "\\", a + "\n\"" + a, a + "\n'" + a});
        CHECK(loaded.settings.timeout.value == seconds(3));
    }

    TEST_CASE("a letter beyond ASCII that stands bare is an error of its line, whatever quotes are near") {
        const LoadedSettings loaded = one_file(
            "timeout = 4\nx = 1\"\xD0\x9F\"\ny = \"\" '\xD0\x9F'\nz =1=\"1979-05-27T07:32:0\xD0\x9F\nw = "
            "\xC3\xA4\n");
        check_bad_lines(loaded, 2, 5);
        CHECK(loaded.settings.timeout.value == seconds(4));
    }

    TEST_CASE("what the TOML library takes for impossible is an error like any other") {
        const LoadedSettings loaded = one_file("timeout = 4\n[\npara#prob=|\"\n= = =\n");
        CHECK(loaded.settings.timeout.value == seconds(4));
        check_bad_lines(loaded, 2, 4);
    }

    TEST_CASE("a file that is not TOML at all is given up after some lines") {
        std::string noise;
        for (int line = 0; line < 100; ++line) {
            noise += "== nonsense\n";
        }
        const LoadedSettings loaded = one_file(noise + "timeout = 1\n");
        CHECK(loaded.settings.timeout.value == seconds(10));
        REQUIRE(loaded.diagnostics.size() == 17);
        CHECK(loaded.diagnostics.back().text() ==
              "/etc/s.toml: error: the file is left out: too much of it is not TOML");
    }

    TEST_CASE("files are read in their order and a drop-in of /etc replaces its namesake") {
        const test::TemporaryTree tree;
        tree.file("usr/lib/stillboot/stillboot.toml", "timeout = 1\nlog_level = \"debug\"\n");
        tree.file("etc/stillboot/stillboot.toml", "timeout = 2\n");
        tree.file("usr/lib/stillboot/stillboot.toml.d/20-a.toml", "timeout = 3\nmoving = \"allow\"\n");
        tree.file("etc/stillboot/stillboot.toml.d/20-a.toml", "timeout = 4\n");
        tree.file("etc/stillboot/stillboot.toml.d/10-b.toml", "timeout = 5\nkeep = [\"a\"]\n");
        tree.file("etc/stillboot/stillboot.toml.d/30-c.txt", "timeout = 6\n");
        tree.file("proc/cmdline", "quiet stillboot.log_level=error\n");
        LoadedSettings loaded = load_settings(tree.root());
        CHECK(texts(loaded) == Lines{});
        CHECK(loaded.settings.timeout.value == seconds(4));
        CHECK(loaded.settings.timeout.origin.text() == "/etc/stillboot/stillboot.toml.d/20-a.toml:1");
        CHECK(loaded.settings.moving.value == Moving::refuse);
        CHECK(loaded.settings.keep.value == Lines{"a"});
        CHECK(loaded.settings.log_level.value == LogLevel::error);

        tree.file("run/stillboot/stillboot.toml", "timeout = 7\n");
        loaded = load_settings(tree.root());
        CHECK(loaded.settings.timeout.value == seconds(7));
    }

    TEST_CASE("a settings file that cannot be read is said and the others count") {
        const test::TemporaryTree tree;
        tree.file("usr/lib/stillboot/stillboot.toml", std::string(70'000, '#'));
        tree.directory("etc/stillboot/stillboot.toml");
        tree.file("run/stillboot/stillboot.toml", "timeout = 7\n");
        const LoadedSettings loaded = load_settings(tree.root());
        CHECK(loaded.settings.timeout.value == seconds(7));
        CHECK(texts(loaded) ==
              Lines{"/usr/lib/stillboot/stillboot.toml: error: /usr/lib/stillboot/stillboot.toml is "
                    "larger than the 65536 bytes that are accepted",
                    "/etc/stillboot/stillboot.toml: error: /etc/stillboot/stillboot.toml is not a "
                    "regular file"});
    }

    TEST_CASE("a list is split at commas outside double quotes, and one too many is no item") {
        const auto list = [](const std::string& text) { return value_of_text(text).list.value(); };
        using Items = std::vector<std::string>;
        CHECK(list("").empty());
        CHECK(list("a") == Items{"a"});
        CHECK(list("a,b") == Items{"a", "b"});
        CHECK(list("title=\"a, b\",@default") == Items{"title=\"a, b\"", "@default"});
        CHECK(list("title=\"a, b") == Items{"title=\"a, b"});
        CHECK_FALSE(check_setting(Settings(), {"boot", "title=\"a, b\",@default"}));
        for (const std::string text : {"a,", ",a", "a,,b", ","}) {
            CAPTURE(text);
            CHECK(check_setting(Settings(), {"keep", text}).has_value());
            CHECK(check_setting(Settings(), {"boot", "id=" + text}).has_value());
        }
    }

    TEST_CASE("a kernel command line splits at white space outside quotes") {
        const auto words = split_kernel_command_line("  a=1 \"b=2 3\" c=\"4 5\" d \"e\" f=\"open -- g");
        REQUIRE(words.size() == 6);
        CHECK(words[0].name == "a");
        CHECK(words[0].value == "1");
        CHECK(words[0].offset == 2);
        CHECK(words[1].name == "b");
        CHECK(words[1].value == "2 3");
        CHECK(words[2].value == "4 5");
        CHECK(words[3].name == "d");
        CHECK_FALSE(words[3].has_value);
        CHECK(words[4].name == "e");
        CHECK(words[5].value == "open -- g");
        CHECK(split_kernel_command_line("").empty());
        CHECK(split_kernel_command_line("-- a").empty());
    }

    TEST_CASE("the state store is over the files, the command line over it, and what is said now over all") {
        SettingsLayers layers;
        layers.files = {
            {"/etc/s.toml", "timeout = 1\nmoving = \"allow\"\ntrial = \"always\"\nstrict_retries = 4\n"}};
        layers.stored = {{"timeout", "2"}, {"moving", "refuse"}, {"trial", "never"}, {"nonsense", "1"}};
        layers.command_line = "stillboot.timeout=3 stillboot.moving=allow";
        layers.this_start = {{"timeout", "4"}};
        const LoadedSettings loaded = parse_settings(layers);
        CHECK(loaded.settings.timeout.value == seconds(4));
        CHECK(loaded.settings.timeout.origin.text() == "this start only");
        CHECK(loaded.settings.moving.origin.text() == "kernel command line");
        CHECK(loaded.settings.trial.value == Trial::never);
        CHECK(loaded.settings.trial.origin.text() == "state store");
        CHECK(loaded.settings.strict_retries.origin.text() == "/etc/s.toml:4");
        CHECK(texts(loaded) == Lines{"state store: warning: there is no setting nonsense"});
    }

    TEST_CASE("every setting is listed with a text that is accepted again, and its origin") {
        const LoadedSettings loaded =
            parse({}, "stillboot.keep=a,b stillboot.timeout=never stillboot.boot=title=x");
        const auto views = list_settings(loaded.settings);
        CHECK(views.size() == 32);
        for (const SettingView& view : views) {
            CAPTURE(std::string(view.key));
            Settings again;
            CHECK_FALSE(apply_setting(again, view.key, value_of_text(view.value), Origin()));
        }
        CHECK(views[0].key == "timeout");
        CHECK(views[0].value == "never");
        CHECK(views[0].origin.text() == "kernel command line");
        CHECK(views[1].value == "internal,removable");
        CHECK(views[2].value == "title=x");
        CHECK(views[3].value.empty());
        CHECK(views[4].value == "false");
    }

    TEST_CASE("a secret is shown to nobody, not even where it is not accepted") {
        const std::string hash = "$6$saltsalt$abcdef";
        SettingsLayers layers;
        layers.command_line = "stillboot.lock=true stillboot.lock-after=7 stillboot.password=" + hash;
        const auto loaded = parse_settings(layers);
        CHECK(loaded.settings.password.value.text == hash);
        CHECK(loaded.settings.lock.value);
        CHECK(loaded.settings.lock_after.value.count() == 7);
        for (const SettingView& view : list_settings(loaded.settings)) {
            CHECK(view.value.find("saltsalt") == std::string::npos);
            CHECK(is_secret(view.key) == (view.key == "password"));
            if (view.key == "password") {
                CHECK(view.value == "set");
            }
        }
        CHECK(check_setting(Settings(), {"password", "$6$" + std::string(384, 'x') + "$"}).has_value());
        CHECK(shown_value("password", hash) == "set");
        CHECK(shown_value("password", "none") == "none");
        CHECK(shown_value("timeout", "010") == "10");
        CHECK(shown_value("timeout", "ten") == "ten");
        CHECK(shown_value("nonsense", "1") == "1");
        layers.command_line = "stillboot.password=hunter2";
        const auto refused = parse_settings(layers);
        REQUIRE(refused.diagnostics.size() == 1);
        CHECK(refused.diagnostics[0].text() ==
              "kernel command line:1: error: password must be a hash, as stillboot password makes it of a "
              "password, or "
              "\"none\", not this; the value from built-in default stays");
    }

    TEST_CASE("what may be set while the machine runs is checked with the words of the files") {
        const Settings settings;
        const auto why = [&](const std::string& key, const std::string& value) {
            const auto refusal = check_setting(settings, {key, value});
            return refusal ? refusal->sentence() : "";
        };
        CHECK(why("timeout", "5").empty());
        CHECK(why("timeout", "soon") ==
              "timeout must be a number of seconds from 0 to 86400, or \"never\", not soon");
        CHECK(why("boot", "title=\"a b\" wait=5,@default").empty());
        CHECK(why("nonsense", "5") == "there is no setting nonsense");
        CHECK(why("settle_deadline", "5") ==
              "settle_deadline is read when stillbootd starts: set it in a file or on the kernel command line, as "
              "stillboot.toml(5) says");
        CHECK(why("keep", std::string(4097, 'x')) == "the value of keep is longer than 4096 bytes");
    }
}
