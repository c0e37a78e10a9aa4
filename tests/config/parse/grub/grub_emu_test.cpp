// SPDX-License-Identifier: Apache-2.0
// The evaluator beside GRUB's own: the same scripts must print the same.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "config/parse/grub/grub.hpp"
#include "tests/config/parse/grub/grub_emu.hpp"
#include "tests/config/parse/grub/script_generator.hpp"
#include "tests/config/parse/memory_source.hpp"

using namespace stillboot;

namespace {

std::string run_ours(const std::string& configuration) {
    test::MemorySource source;
    source.devices.front().files = {{"/grub.cfg", configuration}, {"/etc/passwd", "root"}};
    GrubOptions options;
    options.keep_output = true;
    options.platform = "emu";
    return evaluate_grub(source, "/grub.cfg", options).output;
}

void skip_without_emu() {
    if (!test::have_grub_emu()) {
        std::cout << "skipped: grub-emu is not installed\n";
        std::exit(77);
    }
}

constexpr std::string_view scripts[] = {
    R"(echo "a\ab\$c\"d\\e" a\ b \x 'it''s' "x"y'z')",
    R"(echo $"hello world"; echo a$"b c"d)",
    R"(a="1 2  3"; echo $a; echo "$a"; set b=$a; echo "b=$b"; echo x${a}y)",
    R"(a=; echo [$a] ["$a"]; test -z $a; echo $?; test -n $a; echo $?)",
    R"(foo; echo $?; if foo; then echo yes; else echo no; fi)",
    R"(function f { echo "n=$# 1=$1 @=$@ *=$*"; for i in "$@"; do echo "<$i>"; done; }
f "a b" c; f; f '')",
    R"(function f { echo $1; shift; echo $1 $#; shift 2; echo $#; setparams x y; echo $@; return 3; }
f 1 2 3 4
echo $?)",
    "echo a#b #c\necho 'multi\nline'\necho a\\\nb c \\\n d\necho \"q\\\nr\"\n# no \\\necho \\# d \\\\",
    R"(for i in 1 2; do for j in a b; do echo $i$j; continue 2; done; done; echo $i $j)",
    R"(for i in 1 2; do for j in a b; do echo $i$j; break 2; done; done; echo $i $j)",
    R"(function g { break; }
function f { g; echo after; }
for i in 1 2; do f; echo in; done; echo out)",
    R"(b=' l '; for i in p${b}q "$b" $b; do echo "<$i>"; done)",
    R"(x=a y=b; echo $x $y; "c=d"; echo $c; e=$c'x'"y z"; echo $e; a==b; echo $a)",
    R"(echo {a;b;}
echo { b c }
echo a{b c}
echo "|&<>;{}")",
    R"(! true; echo $?; ! a=5; echo $a; if ! false; then echo n; fi; ! [ a = a ]; echo $?)",
    R"(e=echo; $e c; a='x=y'; $a; echo $x; $nope; echo $?; $nope echo b)",
    R"(test; echo $?; test ""; echo $?; [ a = a ; echo $?; [ a b ]; echo $?; [ a = b c ]; echo $?)",
    R"([ -z "" -o -n "" -a -n "" ]; echo $?; [ -n "" -a -n "" -o -z "" ]; echo $?; [ ! -z "" -o -z "" ]; echo $?)",
    R"([ ! ( -z "" ) ]; echo $?; [ ( -z "" -a -n "a" ) -o b = c ]; echo $?; [ ! ! a = a ]; echo $?)",
    R"([ vmlinuz-10 -pgt vmlinuz-9 ]; echo $?; [ a10 -plt b9 ]; echo $?; [ 010 -eq 8 -a 0x10 -eq 16 ]; echo $?)",
    R"(regexp --set=1:x '^a(b+)c$' abbc; echo "$? $x"; regexp q abc; echo $?; regexp a; echo $?)",
    R"(set root=(hd0,1); echo $root; root=abc; echo $root; set prefix=(hd0)/x; echo $prefix)",
    R"(false; if false; then true; fi; echo $?; false; while false; do true; done; echo $?)",
    R"(false; for i in a; do echo $?; done; if false; then true; else echo $?; fi)",
    R"(eval echo '$a' b; a=3; eval "echo \$a; echo x"; eval; echo $?; eval false; echo $?)",
    R"(echo -n a b; echo -e "x y\nz"; echo -n -e 'q\\n\n'; echo -- -n)",
    R"(a=5; export a; unset a b; echo "[$a]"; set x; echo $?; set a="b c" ; echo $a)",
    R"("if" true; i"f" a; echo if then fi for do done while function in else)",
    "echo c\r\nif true; then\r\necho \"d\\\r\ne\"\r\nfi\r",
    "function gfxmode { echo \"mode $1\"; }\ngfxmode keep; insmod all_video; echo $?",
    R"(function true { echo overridden; }
true; function mine { echo mine; }
mine; 'mine' a)",
};

constexpr std::string_view loader_functions =
    "function linux { echo \"L:$@\"; }\nfunction initrd { for i in $@; do echo \"I:$i\"; done; }\n";

// The last command of each entry ends grub-emu, which would come back to its menu for want of a kernel.
constexpr const char* menu_text = R"(v=1; w=2; export w
function load { linux /k-$1 $2 v=$v; }
menuentry a { v=9; load a "x y"; initrd /i /j; halt }
menuentry 'b c' --class k --id idb 'p q' r --unrestricted { load b $#-$3 chosen=$chosen; halt; }
submenu 's>s' --id ids {
  x=$v$w; w=3
  menuentry d { linux /d x=$x v=$v w=$w $chosen; initrd /d; halt; }
  submenu deep { menuentry 'e' { linux /e w=$w $1; halt; }
  menuentry f --hotkey=f { for i in 1 2; do linux /f$i; done; halt; } }
}
menuentry --users '' g --foo { if [ "$2" = --foo ]; then linux /g $default; fi; halt; }
)";
constexpr std::string_view menu_paths[] = {"0", "idb", "ids>d", "2>1>0", "s>>s>deep>f", "g"};

bool has_long_line(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (end - at >= 79) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

}  // namespace

TEST_SUITE("grub_emu") {
    TEST_CASE("scripts written for one rule each print what grub-emu prints") {
        skip_without_emu();
        for (const std::string_view script : scripts) {
            const std::string text = "true\n" + std::string(script) + "\nhalt\n";
            CAPTURE(text);
            CHECK(run_ours(text) == test::run_grub_emu(text));
        }
    }

    TEST_CASE("each entry of a menu loads what grub-emu's would") {
        skip_without_emu();
        test::MemorySource source;
        source.devices.front().files = {{"/grub.cfg", menu_text}};
        const auto options = evaluate_grub(source, "/grub.cfg").parsed.options;
        REQUIRE(options.size() == std::size(menu_paths));
        for (std::size_t at = 0; at < options.size(); ++at) {
            std::string expected =
                "L:" + options[at].kernel.path + (options[at].args.empty() ? "" : " ") + options[at].args;
            for (const Resource& initrd : options[at].initrds) {
                expected += "\nI:" + initrd.path;
            }
            const std::string text = std::string(loader_functions) + menu_text + "default='" +
                                     std::string(menu_paths[at]) + "'\ntimeout=0\n";
            const std::string theirs = test::run_grub_emu(text);
            const std::size_t start = theirs.rfind("L:");
            REQUIRE(start != std::string::npos);
            CHECK(expected + "\n" == theirs.substr(start, theirs.find_last_not_of('\n') + 2 - start));
        }
    }

    TEST_CASE("generated scripts print what grub-emu prints") {
        skip_without_emu();
        const char* const wanted = std::getenv("STILLBOOT_EMU_SEED");
        const std::uint32_t first = wanted == nullptr ? 1 : static_cast<std::uint32_t>(std::atoi(wanted));
        const std::uint32_t last = wanted == nullptr ? 300 : first;
        const auto stop = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        int compared = 0;
        for (std::uint32_t seed = first; seed <= last && std::chrono::steady_clock::now() < stop; ++seed) {
            const std::string script = test::ScriptGenerator(seed).script();
            const std::string ours = run_ours(script);
            // grub-emu folds what is wider than its screen.
            if (has_long_line(ours)) {
                continue;
            }
            ++compared;
            CAPTURE(seed);
            CAPTURE(script);
            REQUIRE(ours == test::run_grub_emu(script));
        }
        std::cout << compared << " generated scripts compared\n";
        CHECK(compared >= (wanted == nullptr ? 50 : 1));
    }
}
