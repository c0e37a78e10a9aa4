// SPDX-License-Identifier: Apache-2.0
// What a file system offers as a whole: places, order, ids, repeats and the reason where there is nothing.
#include "config/parse/scan_file_system.hpp"

#include <doctest/doctest.h>

#include "tests/config/parse/memory_source.hpp"

using namespace stillboot;
using test::MemorySource;
using Lines = std::vector<std::string>;

namespace {

Lines texts(const ScanResult& result) {
    Lines out;
    for (const Diagnostic& diagnostic : result.diagnostics) {
        out.push_back(diagnostic.text());
    }
    return out;
}

Lines ids(const ScanResult& result) {
    Lines out;
    for (const BootOption& option : std::get<std::vector<BootOption>>(result.finding)) {
        out.push_back(option.id + (option.is_default ? "*" : ""));
    }
    return out;
}

MemorySource disk(std::map<std::string, std::string> files) {
    MemorySource source(std::move(files));
    source.devices[0].id.id = "disk";
    source.devices[0].id.uuid = "1111";
    return source;
}

}  // namespace

TEST_SUITE("scan_file_system") {
    TEST_CASE("a file system without configuration says so") {
        MemorySource source = disk({{"/etc/fstab", ""}});
        const ScanResult result = scan_file_system(source);
        CHECK(std::get<Nothing>(result.finding).reason.sentence() ==
              "no boot configuration was found on this file system");
        CHECK(texts(result) == Lines{});
    }

    TEST_CASE("what a damaged disk hides is named") {
        MemorySource source = disk({{"/readme", "x"}});
        source.damaged.push_back({"/loader/entries", Message("base.read_failed", {{"path", "/loader/entries"}})});
        const auto result = scan_file_system(source);
        REQUIRE(result.diagnostics.size() == 1);
        CHECK(result.diagnostics[0].file == "/loader/entries");
        CHECK(result.diagnostics[0].severity == Severity::error);
        CHECK(result.diagnostics[0].message.code() == "base.read_failed");
    }

    TEST_CASE("a configuration without a single good entry is named") {
        MemorySource source = disk({{"/loader/entries/a.conf", "title x\n"}});
        const ScanResult result = scan_file_system(source);
        CHECK(std::get<Nothing>(result.finding).reason.sentence() ==
              "/loader/entries offers nothing that can be booted");
        CHECK(texts(result) == Lines{"/loader/entries/a.conf: error: this entry is left out: it names no kernel"});
    }

    TEST_CASE("options carry the device, and the first file that names a default keeps it") {
        MemorySource source = disk({{"/loader/entries/a.conf", "linux /k\n"},
                                    {"/boot/loader/entries/a.conf", "linux /k\noptions quiet\n"},
                                    {"/k", ""},
                                    {"/boot/k", ""}});
        const ScanResult result = scan_file_system(source);
        CHECK(texts(result) == Lines{});
        CHECK(ids(result) == Lines{"disk/bls/a*", "disk/bls/a#2"});
        CHECK(std::get<std::vector<BootOption>>(result.finding)[1].device_id == "disk");
    }

    TEST_CASE("what two places offer alike is offered once, and said") {
        MemorySource source = disk({{"/loader/entries/a.conf", "title A\nlinux /k\noptions x\n"},
                                    {"/loader/entries/b.conf", "title B\nlinux /k\noptions x\n"},
                                    {"/boot/loader/entries/c.conf", "title C\nlinux /k\noptions x\n"},
                                    {"/boot/loader/entries/d.conf", "title D\nlinux /k\noptions y\n"},
                                    {"/k", ""}});
        const ScanResult result = scan_file_system(source);
        CHECK(ids(result) == Lines{"disk/bls/b*", "disk/bls/a", "disk/bls/d"});
        CHECK(texts(result) ==
              Lines{"/boot/loader/entries: note: entries left out here, for /loader/entries offers the same: 1"});
    }

    TEST_CASE("a file that an entry boots from and that is not there is named once; the entry stays") {
        MemorySource source = disk({{"/boot/grub/grub.cfg",
                                     "menuentry A {\n linux /gone x\n initrd /i /lost\n}\n"
                                     "menuentry B {\n linux /gone y\n devicetree /board.dtb\n}\n"
                                     "menuentry C {\n search --fs-uuid --set=root 2222\n linux /elsewhere\n}\n"
                                     "menuentry D {\n search --fs-uuid --set=root 1111\n linux /i\n}\n"},
                                    {"/i", ""}});
        source.devices.push_back({DeviceId(), {}});
        source.devices[1].id.id = source.devices[1].id.uuid = "2222";
        const ScanResult result = scan_file_system(source);
        CHECK(std::get<std::vector<BootOption>>(result.finding).size() == 4);
        CHECK(texts(result) ==
              Lines{"/boot/grub/grub.cfg:1: warning: /gone, which A boots from, is not there",
                    "/boot/grub/grub.cfg:1: warning: /lost, which A boots from, is not there",
                    "/boot/grub/grub.cfg:5: warning: /board.dtb, which B boots from, is not there"});
    }

    TEST_CASE("where twenty files are not there, the others are not looked for, and that is said") {
        std::string entries;
        for (int number = 1; number <= 30; ++number) {
            entries += "menuentry e {\nlinux /k" + std::to_string(number) + "\n}\n";
        }
        MemorySource source = disk({{"/boot/grub/grub.cfg", entries}});
        const ScanResult result = scan_file_system(source);
        CHECK(std::get<std::vector<BootOption>>(result.finding).size() == 30);
        REQUIRE(texts(result).size() == 21);
        CHECK(texts(result)[19] == "/boot/grub/grub.cfg:58: warning: /k20, which e boots from, is not there");
        CHECK(texts(result)[20] ==
              "/boot/grub/grub.cfg: note: 20 files that entries boot from are not there: no further "
              "ones are looked for");
    }

    TEST_CASE("text that is not UTF-8 is made so and said") {
        MemorySource source = disk({{"/loader/entries/a.conf", "title caf\xE9\nlinux /k\n\xFF x\n"}, {"/k", ""}});
        const ScanResult result = scan_file_system(source);
        CHECK(std::get<std::vector<BootOption>>(result.finding)[0].title == "caf\xEF\xBF\xBD");
        CHECK(
            texts(result) ==
            Lines{
                "/loader/entries/a.conf:3:1: note: the key \xEF\xBF\xBD is not known and is left out",
                "/loader/entries/a.conf:2: warning: \"caf\xEF\xBF\xBD\" holds bytes that are not UTF-8: they were "
                "replaced, so it may not boot"});
    }

    TEST_CASE("files that a person names add their options behind the others, and none is a default") {
        const std::string kernel("MZ\0\0kernel", 10);
        MemorySource source = disk({{"/boot/grub/grub.cfg", "menuentry a {\n linux /k\n}\n"},
                                    {"/k", kernel},
                                    {"/other/my.cfg", "set default=b\nmenuentry b {\n linux /k b\n}\n"},
                                    {"/other/c.conf", "title C\nlinux /k\noptions c\n"},
                                    {"/other/more/d.conf", "linux /k\noptions d\n"},
                                    {"/other/more/e+0.conf", "linux /k\noptions e\n"},
                                    {"/other/vmlinuz", kernel}});
        const auto result =
            scan_file_system(source, {"/other/my.cfg", "/other/c.conf", "/other/more", "/other/vmlinuz"});
        CHECK(ids(result) == Lines{"disk/grub/a*", "disk/grub/b", "disk/bls/c", "disk/bls/d", "disk/bls/e",
                                   "disk/kernel/other/vmlinuz"});
        REQUIRE(result.named.size() == 4);
        CHECK(result.named[0].options == Lines{"disk/grub/b"});
        CHECK(result.named[2].options == Lines{"disk/bls/d", "disk/bls/e"});
        CHECK(result.named[3].options == Lines{"disk/kernel/other/vmlinuz"});
        const BootOption& last = std::get<std::vector<BootOption>>(result.finding).back();
        CHECK(last.title == "/other/vmlinuz");
        CHECK(last.kernel.path == "/other/vmlinuz");
        CHECK(last.source == Source{"kernel", "/other/vmlinuz", 0});
        CHECK(last.device_id == "disk");
    }

    TEST_CASE("a named file that adds nothing says why, and what is wrong in it is not said of the device") {
        MemorySource source = disk({{"/boot/grub/grub.cfg", "menuentry a {\n linux /k\n}\n"},
                                    {"/k", ""},
                                    {"/empty", ""},
                                    {"/bad.conf", "title x\n"},
                                    {"/broken.cfg", "x"},
                                    {"/again.cfg", "menuentry b {\n linux /k\n}\n"}});
        source.unreadable.insert("/broken.cfg");
        const auto result =
            scan_file_system(source, {"/none.cfg", "/empty", "/bad.conf", "/broken.cfg", "/again.cfg"});
        CHECK(ids(result) == Lines{"disk/grub/a*"});
        Lines reasons;
        for (const NamedFile& named : result.named) {
            CHECK(named.options.empty());
            reasons.push_back(named.reason.value().sentence());
        }
        CHECK(reasons == Lines{"/none.cfg does not exist on disk", "/empty holds nothing that can be booted here",
                               "/bad.conf holds nothing that can be booted here",
                               "/broken.cfg cannot be read: EIO (Input/output error)",
                               "all that /again.cfg offers is offered already"});
        REQUIRE(result.named[2].diagnostics.size() == 1);
        CHECK(result.named[2].diagnostics[0].text() ==
              "/bad.conf: error: this entry is left out: it names no kernel");
        CHECK(texts(result) ==
              Lines{"/again.cfg: note: entries left out here, for /boot/grub/grub.cfg offers the same: 1"});
    }
}
