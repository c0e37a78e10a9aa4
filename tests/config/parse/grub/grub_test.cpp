// SPDX-License-Identifier: Apache-2.0
#include "config/parse/grub/grub.hpp"

#include <doctest/doctest.h>

#include "tests/config/parse/memory_source.hpp"

using namespace stillboot;

namespace {

struct Fixture {
    test::MemorySource source;
    GrubOptions options;
    GrubResult result;

    Fixture() {
        source.devices.front().id.uuid = "1111-own";
        source.devices.front().id.id = "disk-own";
        options.keep_output = true;
    }
    void add_device(const std::string& uuid, const std::string& label, std::map<std::string, std::string> files) {
        test::MemorySource::Device device;
        device.id.id = "disk-" + uuid;
        device.id.uuid = uuid;
        device.id.label = label;
        device.files = std::move(files);
        source.devices.push_back(std::move(device));
    }
    GrubResult& run(const std::string& text) {
        source.devices.front().files["/boot/grub/grub.cfg"] = text;
        result = evaluate_grub(source, "/boot/grub/grub.cfg", options);
        return result;
    }
    const std::vector<BootOption>& entries(const std::string& text) { return run(text).parsed.options; }
    /// One line for each option: "id | title | kernel args | initrds", with a star before the default.
    std::string menu(const std::string& text) {
        run(text);
        std::string out;
        for (const BootOption& option : result.parsed.options) {
            out += (option.is_default ? "*" : "") + option.id + " | " + option.title + " | " +
                   place(option.kernel) + (option.args.empty() ? "" : " ") + option.args;
            for (const Resource& initrd : option.initrds) {
                out += " | " + place(initrd);
            }
            out += "\n";
        }
        return out;
    }
    std::string said(const std::string& text) {
        run(text);
        std::string out;
        for (const Diagnostic& diagnostic : result.parsed.diagnostics) {
            out += diagnostic.text() + "\n";
        }
        return out;
    }
    std::string printed(const std::string& text) { return run(text).output; }
    static std::string place(const Resource& resource) {
        return resource.url +
               (resource.device.is_self()
                    ? ""
                    : std::string(to_word(resource.device.kind)) + "=" + resource.device.value + ":") +
               resource.path;
    }
};

const std::string cfg = "/boot/grub/grub.cfg:";

}  // namespace

TEST_SUITE("grub") {
    TEST_CASE_FIXTURE(Fixture, "an entry yields its kernel, arguments, initrds, devicetree, version and line") {
        const auto& listed = entries(
            "# first\nset timeout=5\nmenuentry 'A \"B\"' --class x --id one {\n  linux /vmlinuz-6.1-x "
            "root=/dev/sda1 "
            "\\\n ro 'a b=c'\n  initrd /i1 /i2\n  devicetree /x.dtb\n}\n");
        REQUIRE(listed.size() == 1);
        CHECK(listed[0].id == "one");
        CHECK(listed[0].title == "A \"B\"");
        CHECK(listed[0].kernel.path == "/vmlinuz-6.1-x");
        CHECK(listed[0].kernel.device.is_self());
        CHECK(listed[0].args == "root=/dev/sda1 ro \"a b=c\"");
        REQUIRE(listed[0].initrds.size() == 2);
        CHECK(listed[0].initrds[1].path == "/i2");
        REQUIRE(listed[0].devicetree.has_value());
        CHECK(listed[0].devicetree->path == "/x.dtb");
        CHECK(listed[0].version == "6.1-x");
        CHECK(listed[0].is_default);
        CHECK(listed[0].source == Source{"grub", "/boot/grub/grub.cfg", 3});
        CHECK(result.timeout == std::chrono::seconds(5));
        CHECK(result.parsed.diagnostics.empty());
    }

    TEST_CASE_FIXTURE(Fixture, "submenus nest, and names without --id are made of titles and made unique") {
        CHECK(menu("menuentry 'Linux, 6.1' { linux /a }\n"
                   "submenu 'More >' {\n  menuentry 'Linux, 6.1' { linux /b }\n"
                   "  submenu Deep { menuentry '***' { linux /c } }\n}\n"
                   "menuentry 'Linux 6.1' { linux /d }\nmenuentry x --id more/deep/entry { linux /e }\n") ==
              "*linux-6.1 | Linux, 6.1 | /a\nmore/linux-6.1 | Linux, 6.1 | /b\nmore/deep/entry | *** | /c\n"
              "linux-6.1#2 | Linux 6.1 | /d\nmore/deep/entry#2 | x | /e\n");
        CHECK(result.parsed.options[2].submenus == std::vector<std::string>{"More >", "Deep"});
    }

    TEST_CASE_FIXTURE(Fixture, "the default is chosen by index, title, id and path, and a bad one is the first") {
        const std::string entries_text =
            "menuentry a --id ida { linux /a }\nsubmenu 's>s' --id ids {\n menuentry b --id idb { linux /b }\n"
            " menuentry c --id idc { linux /c }\n}\nmenuentry d --id idd { linux /d }\n";
        const auto chosen = [&](const std::string& wanted) {
            std::string out;
            for (const BootOption& option : entries("set default='" + wanted + "'\n" + entries_text)) {
                out += option.is_default ? option.title : "";
            }
            return out;
        };
        for (const auto& [wanted, title] : std::vector<std::pair<std::string, std::string>>{{"", "a"},
                                                                                            {"0", "a"},
                                                                                            {"2", "d"},
                                                                                            {"idd", "d"},
                                                                                            {"d", "d"},
                                                                                            {"1>1", "c"},
                                                                                            {"ids>idc", "c"},
                                                                                            {"s>>s>b", "b"},
                                                                                            {"1", "b"},
                                                                                            {"ids>nope", "b"},
                                                                                            {"7", "a"},
                                                                                            {"nope", "a"}}) {
            CAPTURE(wanted);
            CHECK(chosen(wanted) == title);
        }
        CHECK(said("default=nope\n" + entries_text) ==
              cfg + "2:1: warning: the default \"nope\" is not in the menu: the first entry is taken\n");
    }

    TEST_CASE_FIXTURE(Fixture, "a default that is no Linux is nobody's") {
        CHECK(menu("menuentry Windows { chainloader +1 }\nmenuentry l { linux /a }\n") == "l | l | /a\n");
        CHECK(said("menuentry Windows { chainloader +1 }\nmenuentry f { fwsetup }\nmenuentry n { true }\n") ==
              cfg +
                  "1:1: note: \"Windows\" is not listed: it ends with chainloader, which does not start a Linux "
                  "kernel from here\n" +
                  cfg +
                  "1:1: warning: \"Windows\" is the default: with it not listed, nothing of this configuration "
                  "starts by itself\n" +
                  cfg +
                  "2:1: note: \"f\" is not listed: it ends with fwsetup, which does not start a Linux kernel "
                  "from here\n" +
                  cfg + "3:1: warning: \"n\" is not listed: it loads no kernel\n");
    }

    TEST_CASE_FIXTURE(Fixture, "an environment block gives the saved default") {
        source.devices.front().files["/boot/grub/grubenv"] =
            "# GRUB Environment Block\nsaved_entry=b\nother=x\n####";
        CHECK(menu("load_env saved_entry\nset default=\"${saved_entry}\"\nmenuentry a { linux /a $other }\n"
                   "menuentry b { linux /b }\n") == "a | a | /a\n*b | b | /b\n");
        CHECK(printed("load_env -f /boot/grub/grubenv\necho $other") == "x\n");
        CHECK(said("load_env --file=(hd0)/x --skip-sig\n") ==
              cfg + "1:1: warning: (hd0)/x is on hd0, a name that only GRUB can resolve\n");
    }

    TEST_CASE_FIXTURE(Fixture, "save_env is recorded and not executed") {
        run("a=1\nsave_env a b\nmenuentry x { linux /x\n save_env a b\n}\n");
        REQUIRE(result.writes.size() == 1);
        CHECK(result.writes[0].path == "/boot/grub/grubenv");
        CHECK(result.writes[0].variables ==
              std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", ""}});
        CHECK(result.writes[0].line == 2);
        const Parsed parsed = parse_grub(source, "/boot/grub/grub.cfg");
        REQUIRE(parsed.diagnostics.size() == 1);
        CHECK(parsed.diagnostics[0].text() ==
              cfg + "2:1: note: GRUB would store a, b in /boot/grub/grubenv here: nothing is written");
    }

    TEST_CASE_FIXTURE(Fixture, "search names devices by UUID and label, the own one first") {
        add_device("2222", "data", {{"/f", ""}});
        CHECK(menu("menuentry a { search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2 2222\n linux /k }\n"
                   "menuentry b { search --set=root --fs-uuid 1111-OWN\n linux /k }\n"
                   "menuentry c { search -l --set x 'data'\n linux ($x)/k\n initrd /i }\n"
                   "menuentry d { search.fs_uuid 2222 root hd0\n linux $root/k }\n"
                   "menuentry e { search --file --set=root /f\n linux /k }\n") ==
              "*a | a | uuid=2222:/k\nb | b | /k\nc | c | label=data:/k | /i\ne | e | device=disk-2222:/k\n");
    }

    // As Fedora writes it to the ESP.
    TEST_CASE_FIXTURE(Fixture, "a search that a distribution narrows down leads to the same configuration") {
        add_device("2222", "", {{"/grub2/grub.cfg", "menuentry there { linux /k }\n"}});
        const std::string text =
            "search --no-floppy --root-dev-only --fs-uuid --set=dev 2222\n"
            "set prefix=($dev)/grub2\nexport $prefix\nconfigfile $prefix/grub.cfg\n";
        CHECK(menu(text).find("there") != std::string::npos);
        CHECK(said(text).empty());
    }

    TEST_CASE_FIXTURE(Fixture, "a UUID that is absent still names its device, and is said once") {
        const std::string text =
            "menuentry a { if search --fs-uuid --set=root 'no such'; then echo there; fi\n linux /k }\n"
            "menuentry b { search --fs-uuid --set=root 'no such'\n linux /k }\n";
        CHECK(menu(text) == "*a | a | uuid=no such:/k\nb | b | uuid=no such:/k\n");
        CHECK(result.output.empty());
        CHECK(said(text) == cfg + "1:18: note: no device with uuid no such is present\n");
        CHECK(said("search --file --set=root /nowhere\nsearch --set=root\n") ==
              cfg + "1:1: warning: no device holds a file /nowhere\n" + cfg +
                  "2:1: warning: the arguments of search are not as it wants them: it is left out\n");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a configuration on another device is read from there, and its menu stands for ours") {
        add_device("2222", "",
                   {{"/grub/grub.cfg",
                     "set default=1\nset timeout=9\nmenuentry in1 { linux /a }\n"
                     "menuentry in2 { linux (self)/b }\nbroken |\n"}});
        CHECK(menu("search.fs_uuid 2222 root\nset prefix=($root)'/grub'\nset hidden=1\nset timeout=3\n"
                   "configfile $prefix/grub.cfg\nmenuentry after { linux /c }\n") ==
              "in1 | in1 | uuid=2222:/a\n*in2 | in2 | /b\nafter | after | uuid=2222:/c\n");
        CHECK(result.timeout == std::chrono::seconds(9));
        CHECK(result.parsed.options[0].source == Source{"grub", "(fsuuid/2222)/grub/grub.cfg", 3});
        REQUIRE(result.parsed.diagnostics.size() == 1);
        CHECK(
            result.parsed.diagnostics[0].text() ==
            "(fsuuid/2222)/grub/grub.cfg:5:8: error: \"|\" means nothing here unless it is quoted: the command is "
            "left out");
    }

    TEST_CASE_FIXTURE(Fixture, "what sources what is missing, in a circle, or on an absent device is said") {
        CHECK(said("source /nope\n") == cfg + "1:1: warning: /nope does not exist on disk-own\n");
        CHECK(said("search --fs-uuid --set=d 3333\nconfigfile ($d)/grub.cfg\n") ==
              cfg + "1:1: note: no device with uuid 3333 is present\n" + cfg +
                  "2:1: warning: no device with uuid 3333 is present\n");
        CHECK(said(" source /boot/grub/grub.cfg\n") ==
              cfg +
                  "1:1: error: configurations, submenus and evaluated texts are nested deeper than 16: this one "
                  "is left out\n");
        CHECK(said("configfile x\n") ==
              cfg + "1:1: warning: \"x\" is not a file name: a path starts with a slash\n");
    }

    TEST_CASE_FIXTURE(Fixture, "an entry may open another configuration, whose entries stand below it") {
        source.devices.front().files["/other.cfg"] = "menuentry y { linux /y $kept $lost }\n";
        CHECK(menu("kept=1\nlost=2\nexport kept\nmenuentry x { configfile /other.cfg }\n") == "*x/y | y | /y 1\n");
        CHECK(result.parsed.options[0].submenus == std::vector<std::string>{"x"});
    }

    TEST_CASE_FIXTURE(Fixture, "one entry's doings do not reach the next, nor a submenu the unexported") {
        CHECK(menu("v=0\nw=1\nexport w\nmenuentry a { v=1\nw=2\nset root=(hd1)\nlinux (self)/a $v $w }\n"
                   "submenu s { v=5$v\nmenuentry b { linux /b $v $w $chosen } }\n"
                   "menuentry c 'p q' r { linux /c $v $w $# $2 $3 }\n") ==
              "*a | a | /a 1 2\ns/b | b | /b 5 1 s>b\nc | c | /c 0 1 3 p q r\n");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "blscfg lists the entries of the Boot Loader Specification with variables in them") {
        auto& files = source.devices.front().files;
        files["/boot/loader/entries/one.conf"] =
            "title One ${x}\nversion 1\nlinux /vmlinuz-1\ninitrd /i1 $tuned\noptions $kernelopts quiet\n";
        files["/boot/loader/entries/two.conf"] = "title Two\nversion 2\nlinux /vmlinuz-2\n";
        files["/boot/vmlinuz-1"] = files["/boot/vmlinuz-2"] = files["/boot/i1"] = "x";
        CHECK(menu("set default=one\nkernelopts='root=/dev/x ro'\ninsmod blscfg\nblscfg\n") ==
              "two | Two | /boot/vmlinuz-2\n*one | One  | /boot/vmlinuz-1 root=/dev/x ro quiet | /boot/i1\n");
        CHECK(result.parsed.options[0].source.format == "bls");
        files.clear();
        CHECK(said("\n blscfg") == cfg + "2:2: warning: blscfg finds no entries: /loader/entries is not there\n");
    }

    // Each row as grub-emu does it: it asks for a user's name, or boots.
    TEST_CASE_FIXTURE(Fixture, "an entry that GRUB protects by a password is listed with a warning at its line") {
        struct Row {
            const char* name;
            const char* superusers;
            const char* options;
            bool is_protected;
        };
        const Row rows[] = {
            {"no superusers", "", "", false},
            {"users alone protect nothing", "", "--users bob", false},
            {"superusers", "superusers=root", "", true},
            {"superusers with users", "superusers=root", "--users bob", true},
            {"superusers with users who are nobody", "superusers=root", "--users ''", true},
            {"superusers that are nobody", "superusers=", "", true},
            {"superusers taken back", "superusers=root; unset superusers", "", false},
            {"open to everyone", "superusers=root", "--unrestricted", false},
            {"users count before open to everyone", "superusers=root", "--users bob --unrestricted", true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(said(std::string(row.superusers) + "\n  menuentry a " + row.options + " { linux /a }\n") ==
                  (row.is_protected ? cfg + "2:3: warning: GRUB would ask for a password before it boots \"a\": "
                                            "here nothing asks\n"
                                    : ""));
            CHECK(result.parsed.options.size() == 1);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "a password before a submenu protects what is in it, an exported one all below") {
        const auto warning = [](const std::string& place, const std::string& title) {
            return cfg + place + ": warning: GRUB would ask for a password before it boots \"" + title +
                   "\": here nothing asks\n";
        };
        const std::string menus =
            "submenu s {\n menuentry a --unrestricted { linux /a }\n}\n"
            "submenu t --unrestricted {\n menuentry b { linux /b }\n}\n"
            "menuentry c --unrestricted { linux /c }\n";
        CHECK(said("superusers=root\n" + menus) == warning("3:2", "a"));
        CHECK(said("superusers=root; export superusers\n" + menus) == warning("3:2", "a") + warning("6:2", "b"));
    }

    TEST_CASE_FIXTURE(Fixture, "superusers before the entries of blscfg are said once") {
        auto& files = source.devices.front().files;
        files["/loader/entries/one.conf"] = "linux /k\ngrub_users $grub_users\n";
        files["/loader/entries/two.conf"] = "linux /k\ngrub_arg --unrestricted\n";
        files["/k"] = "x";
        CHECK(said("blscfg\n").empty());
        CHECK(said("superusers=root\nblscfg\n") == cfg +
                                                       "2:1: note: GRUB may ask for a password before it boots "
                                                       "some of these entries: here nothing asks\n");
        CHECK(result.parsed.options.size() == 2);
    }

    TEST_CASE_FIXTURE(Fixture, "entries that cannot be found from here are said, with their line") {
        CHECK(
            said("menuentry a {\n  set root='hd0,gpt2'\n  linux /k\n  initrd /i\n}\n"
                 "menuentry b { linux k }\nmenuentry c { initrd /i }\n") ==
            cfg + "1:1: warning: \"a\" is not listed: what it loads cannot be found from here\n" + cfg +
                "1:1: warning: \"a\" is the default: with it not listed, nothing of this configuration starts by "
                "itself\n" +
                cfg + "3:3: warning: /k is on hd0,gpt2, a name that only GRUB can resolve\n" + cfg +
                "6:1: warning: \"b\" is not listed: what it loads cannot be found from here\n" + cfg +
                "6:15: warning: \"k\" is not a file name: a path starts with a slash\n" + cfg +
                "7:1: warning: \"c\" is not listed: it loads no kernel\n" + cfg +
                "7:15: warning: an initrd is loaded before a kernel: it is left out\n");
        CHECK(menu("menuentry n { linux (http,10.0.0.1)/k\n initrd (tftp,srv)/i }") ==
              "*n | n | http://10.0.0.1/k | tftp://srv/i\n");
    }

    TEST_CASE_FIXTURE(Fixture, "syntax errors are placed, and everything else is still listed") {
        const std::string text =
            "menuentry a { linux /a }\n"                                                     // 1
            "echo x && echo y\n"                                                             // 2
            "menuentry b {\n  frob --x\n  linux /b\n  if [ x = x ]; then\n  initrd /i\n}\n"  // 3
            "fi\n"                                                                           // 9
            "  set x=${a.b}\n"                                                               // 10
            "for x of y; do echo; done\n"                                                    // 11
            "function { }\n"                                                                 // 12
            "menuentry c { linux /c }\n"                                                     // 13
            "}\n"                                                                            // 14
            "menuentry { linux /d }\nmenuentry e\nif true; then\n menuentry f { linux /f 'x }\n";
        CHECK(menu(text) == "*a | a | /a\nb | b | /b | /i\nc | c | /c\n");
        CHECK(said(text) ==
              cfg + "2:8: error: \"&\" means nothing here unless it is quoted: the command is left out\n" + cfg +
                  "4:3: warning: the command frob is not known and is left out\n" + cfg +
                  "6:3: error: \"fi\" is missing for this \"if\"\n" + cfg +
                  "9:1: error: \"fi\" is not expected here\n" + cfg +
                  "10:9: error: no variable follows this \"$\": the command is left out\n" + cfg +
                  "11:1: error: this is no loop: it should read \"for NAME in WORDS; do\"\n" + cfg +
                  "12:1: error: this is no function: it should read \"function NAME {\"\n" + cfg +
                  "14:1: error: \"}\" is not expected here\n" + cfg +
                  "15:1: error: this menuentry has no title and is left out\n" + cfg +
                  "16:1: error: \"e\" has no body in braces and is left out\n" + cfg +
                  "17:1: error: \"fi\" is missing for this \"if\"\n" + cfg +
                  "18:2: error: \"}\" is missing for this \"menuentry\"\n");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "Ubuntu's function gfxmode gives the kernel its console, for GRUB has no such command") {
        CHECK(menu("function gfxmode {\n set gfxpayload=\"${1}\"\n if [ \"${1}\" = \"keep\" ]; then\n"
                   "  set vt_handoff=vt.handoff=7\n else\n  set vt_handoff=\n fi\n}\n"
                   "set linux_gfx_mode=keep\nexport linux_gfx_mode\n"
                   "submenu s { menuentry a { gfxmode $linux_gfx_mode; linux /a ro  quiet $vt_handoff } }\n"
                   "menuentry b { gfxmode text; linux /b ro $vt_handoff }\n") ==
              "*s/a | a | /a ro quiet vt.handoff=7\nb | b | /b ro\n");
    }

    TEST_CASE_FIXTURE(Fixture, "conditions, functions and loops run as GRUB runs them") {
        CHECK(printed("function f { echo $# $1; shift; echo $@; return 3; echo no; }\nf 'a b' c d; echo $?\n"
                      "for x in 1 2 3; do if [ $x = 2 ]; then continue; fi; echo $x; done\n"
                      "i=; while [ x$i != xaa ]; do i=a$i; done; until [ -z $i ]; do i=; done; echo \"<$i>\"\n"
                      "if false; then echo a; elif [ 1 -lt 2 -a ! -e /nope ]; then echo b; else echo c; fi\n") ==
              "3 a b\nc d\n3\n1\n3\n<>\nb\n");
    }

    TEST_CASE_FIXTURE(Fixture, "files are tested, globbed and matched") {
        auto& files = source.devices.front().files;
        files["/v/vmlinuz-1"] = "x";
        files["/v/vmlinuz-2"] = "x";
        files["/v/empty"] = "";
        CHECK(printed("for k in /v/vmlinuz-* /v/nope*; do echo $k; done\n[ -f /v/empty -a -d /v ]; echo $?\n"
                      "[ -s /v/empty ]; echo $?; [ -e (self)/v/vmlinuz-1 ]; echo $?\n"
                      "regexp --set=1:n 'vmlinuz-(.*)$' /v/vmlinuz-2; echo $n\n"
                      "probe --set=u --fs-uuid ($root); echo $u\n") ==
              "/v/vmlinuz-1\n/v/vmlinuz-2\n/v/nope*\n0\n1\n0\n2\n1111-own\n");
        CHECK(said("[ /a -nt /b ]\n") ==
              cfg + "1:1: warning: the times of files are not known here: -nt does not hold\n");
    }

    TEST_CASE_FIXTURE(Fixture, "every limit ends the script with its reason, and keeps what was found") {
        const auto check = [&](const std::string& text, const std::string& words) {
            CAPTURE(text);
            const std::string all = said("menuentry kept { linux /k }\n" + text);
            CAPTURE(all);
            CHECK(all.find(words) != std::string::npos);
            CHECK(result.parsed.options.size() >= 1);
        };
        options.limits.loop_rounds = 50;
        options.limits.steps = 1000;
        options.limits.variable_bytes = 1000;
        options.limits.variables = 60;
        options.limits.menu_entries = 5;
        check("while true; do true; done\n", "2:1: error: this loop runs more than 50 times");
        check("function f { f; }\nf\n", "2:14: error: functions call each other deeper than 64");
        check("x=xxxxxxxxxx\nfor i in 1 2 3 4 5 6 7 8; do x=$x$x$x$x; done\n",
              "3:30: error: this word expands to more than 1000 bytes");
        check("for i in 1 2 3 4 5 6 7 8 9; do menuentry m { linux /x }; done\n",
              "2:32: error: there are more than 5 entries");
        check(
            "for i in 1 2 3 4 5 6; do for j in 1 2 3 4 5 6; do for k in 1 2 3 4 5 6; do for l in 1 2 3 4 5 6; do "
            "true; done; done; done; done\n",
            "the configuration executes more than 1000 commands");
        check("n=\nfor i in 1 2 3 4 5 6 7 8 9 10; do for j in 1 2 3 4 5; do n=a$n; eval $n=1; done; done\n",
              "error: more than 60 variables are set");
        std::string nested;
        for (int depth = 0; depth < 70; ++depth) {
            nested += "if true; then ";
        }
        check(nested, "error: structures are nested deeper than 64");
    }

    TEST_CASE_FIXTURE(Fixture, "a configuration that is missing, too large or full of carriage returns") {
        CHECK(evaluate_grub(source, "/boot/grub/grub.cfg").parsed.diagnostics[0].text() ==
              "/boot/grub/grub.cfg: error: /boot/grub/grub.cfg does not exist on disk-own");
        options.limits.file_bytes = 10;
        CHECK(said("menuentry x { linux /x }\n") ==
              "/boot/grub/grub.cfg: error: /boot/grub/grub.cfg is larger than the 10 bytes that are accepted\n");
        options.limits.file_bytes = 1000;
        CHECK(menu("menuentry 'x' {\r\n  linux /x a \\\r\n b\r\n}\r\n") == "*x | x | /x a b\n");
    }

    TEST_CASE_FIXTURE(Fixture, "a configuration cut at any length, or damaged at any byte, still ends") {
        const std::string text =
            "function f { echo \"$1\"; }\nif [ x = x ]; then set a='b c'; else f ${a}; fi\n"
            "submenu s --id t {\n menuentry \"e $a\" { search --set=root --fs-uuid 12\n linux /k $a\n initrd /i; "
            "}\n}\n"
            "for i in 1 2; do f \\$i; done # end\n";
        for (std::size_t at = 0; at <= text.size(); ++at) {
            run(text.substr(0, at));
            for (const char byte : {'\0', '{', '}', '\'', '"', '$', '\\', '\n', ';', '#', ' '}) {
                std::string damaged = text;
                damaged[std::min(at, text.size() - 1)] = byte;
                run(damaged);
                CHECK(result.parsed.options.size() <= 1);
            }
        }
    }
}
