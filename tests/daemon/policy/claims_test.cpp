// SPDX-License-Identifier: Apache-2.0
#include "daemon/policy/claims.hpp"

#include <doctest/doctest.h>

#include "config/parse/settings/boot_rule.hpp"

using namespace stillboot;
using namespace std::chrono_literals;
using policy::Candidate;

namespace {

// Two disks: an internal one with a default and an entry in a submenu, and a removable one with a default.
registry::Registry two_disks() {
    registry::Registry registry({"internal", "removable"});
    for (const bool removable : {false, true}) {
        registry::DeviceRecord record;
        record.identity.id = removable ? "usb-1" : "nvme-1";
        record.identity.node = removable ? "/dev/sda" : "/dev/nvme0n1";
        record.removable = removable;
        registry.put_device(record);
        BootOption usual;
        usual.id = record.identity.id + "/grub/usual";
        usual.title = "Debian GNU/Linux";
        usual.kernel.path = "/vmlinuz";
        usual.is_default = true;
        usual.source.format = removable ? "bls" : "grub";
        BootOption recovery = usual;
        recovery.id = record.identity.id + "/grub/recovery";
        recovery.title = "recovery";
        recovery.submenus = {"Advanced options"};
        recovery.is_default = false;
        ScanResult result;
        result.finding = std::vector<BootOption>{usual, recovery};
        registry.set_result(record.identity.id, result);
    }
    return registry;
}

std::vector<std::string> named(std::string_view rule) {
    const auto parsed = parse_boot_rule(rule);
    REQUIRE_MESSAGE(parsed, rule);
    std::vector<std::string> out;
    const auto claims = policy::claims_of({{*parsed, Message()}}, two_disks());
    for (const Candidate& each : claims.at(0).names) {
        out.push_back(each.option);
    }
    return out;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_SUITE("policy") {
    TEST_CASE(
        "a rule names what fits all its conditions, in the fixed order; without id and title, defaults alone") {
        CHECK(named("@default") == Names{"nvme-1/grub/usual", "usb-1/grub/usual"});
        CHECK(named("type=removable") == Names{"usb-1/grub/usual"});
        CHECK(named("type=internal @default") == Names{"nvme-1/grub/usual"});
        CHECK(named("format=bls") == Names{"usb-1/grub/usual"});
        CHECK(named("device=nvme*") == Names{"nvme-1/grub/usual"});
        CHECK(named("title=recovery") == Names{"nvme-1/grub/recovery", "usb-1/grub/recovery"});
        CHECK(named("title=\"Advanced options>rec*\" device=usb-*") == Names{"usb-1/grub/recovery"});
        CHECK(named("id=usb-1/grub/usual") == Names{"usb-1/grub/usual"});
        CHECK(named("id=no-such").empty());
    }

    TEST_CASE("the order of precedence, and each says who") {
        Settings settings;
        settings.boot_first.value = {*parse_boot_rule("title=recovery")};
        settings.boot_first.origin = Origin{"kernel command line", 0};
        policy::KeptChoices chosen;
        chosen.entry_once = "no-such.conf";
        chosen.one_shot = Candidate("usb-1/grub/usual", "Debian GNU/Linux");
        chosen.saved_default = Candidate("a*[b]", "odd");
        std::vector<std::string> said;
        const auto rules = policy::ranked_rules(settings, chosen);
        for (const auto& each : rules) {
            said.push_back(each.by.sentence());
        }
        CHECK(said == Names{"what the firmware is asked for once", "what was chosen for once",
                            "what the rule title=recovery names (boot_first, kernel command line)",
                            "the saved default", "the default of the first device"});
        CHECK(rules.at(3).rule.id == "a\\*\\[b\\]");  // an id is no glob
        const auto claims = policy::claims_of(rules, two_disks());
        CHECK(claims.at(0).names.empty());
        CHECK(claims.at(1).names == std::vector{*chosen.one_shot});
    }

    TEST_CASE("the firmware names an entry by its file, with or without what it ends in, in any case") {
        protocol::Option option;
        option.id = "disk/bls/Debian-6.1+x";
        option.source.format = "bls";
        for (const char* const name : {"debian-6.1+x", "Debian-6.1+x.conf", "DEBIAN-6.1+X+3.conf",
                                       "debian-6.1+x+3-1", "debian-6.1+x+0-12.conf"}) {
            CAPTURE(std::string(name));
            CHECK(policy::is_entry(option, name));
        }
        for (const char* const name : {"", "debian-6.1", "debian-6.1+x+3-", "debian-6.1+x+-1", "debian-6.1+x+3-1a",
                                       "debian-6.1+x.conf.conf", "disk/bls/Debian-6.1+x"}) {
            CAPTURE(std::string(name));
            CHECK_FALSE(policy::is_entry(option, name));
        }
        option.id = "disk/bls/a#2";  // the second of that name on one device
        CHECK(policy::is_entry(option, "a.conf"));
        option.source.format = "grub";
        CHECK_FALSE(policy::is_entry(option, "a.conf"));
    }

    TEST_CASE("what the firmware names is that alone, a default or not") {
        registry::Registry registry({});
        registry::DeviceRecord record;
        record.identity.id = "esp";
        record.identity.node = "/dev/sda1";
        registry.put_device(record);
        ScanResult result;
        std::vector<BootOption> entries(2);
        for (const bool second : {false, true}) {
            BootOption& entry = entries.at(second ? 1 : 0);
            entry.id = second ? "esp/bls/second" : "esp/bls/first";
            entry.title = entry.id;
            entry.kernel.path = "/vmlinuz";
            entry.is_default = !second;
            entry.source.format = "bls";
        }
        result.finding = entries;
        registry.set_result("esp", result);
        policy::KeptChoices chosen;
        chosen.entry_once = "second.conf";
        const auto claims = policy::claims_of(policy::ranked_rules(Settings(), chosen), registry);
        REQUIRE(claims.at(0).names.size() == 1);
        CHECK(claims.at(0).names.front().option == "esp/bls/second");
    }

    TEST_CASE("a rule's wait goes with its claim") {
        const auto claims = policy::claims_of({{*parse_boot_rule("id=x wait=30"), Message()}}, two_disks());
        CHECK(claims.at(0).wait == 30s);
        CHECK(claims.at(0).names.empty());
    }

    TEST_CASE("an option that waits for a device is not named") {
        auto registry = two_disks();
        ScanResult result;
        BootOption elsewhere;
        elsewhere.id = "nvme-1/grub/elsewhere";
        elsewhere.title = "elsewhere";
        elsewhere.kernel = Resource{"/vmlinuz", DeviceRef{DeviceRef::Kind::uuid, "1234-ABCD"}, "", ""};
        elsewhere.is_default = true;
        elsewhere.source.format = "grub";
        result.finding = std::vector<BootOption>{elsewhere};
        registry.set_result("nvme-1", result);
        REQUIRE(registry.options().size() == 3);
        const auto claims = policy::claims_of({{*parse_boot_rule("title=elsewhere"), Message()}}, registry);
        CHECK(claims.at(0).names.empty());
    }

    TEST_CASE("strict mode is what the settings ask for, and its limit counts from the daemon's start") {
        Settings settings;
        const policy::Instant started{1h};
        CHECK_FALSE(policy::strict_of(settings, started));
        settings.strict.value = true;
        settings.strict_limit.value = 60s;
        settings.strict_retries.value = 2;
        CHECK(policy::strict_of(settings, started) == policy::Strict{started + 60s, 2});
    }

    TEST_CASE("what has no try left is named by no rule but the one-shot, and comes behind everything else") {
        registry::Registry registry({});
        registry::DeviceRecord record;
        record.identity.id = "nvme-1";
        registry.put_device(record);
        std::vector<BootOption> options;
        for (const char* name : {"good", "bad", "worse"}) {
            BootOption option;
            option.id = std::string("nvme-1/bls/") + name;
            option.title = name;
            option.kernel.path = "/vmlinuz";
            option.is_default = option.title == "bad";
            options.push_back(option);
        }
        options[0].tries = BootTries{1, 2};
        options[1].tries = BootTries{0, 3};
        options[2].tries = BootTries{0, 1};
        ScanResult result;
        result.finding = options;
        registry.set_result("nvme-1", result);

        const policy::RankedRule once{
            *parse_boot_rule("id=nvme-1/bls/worse"), Message("daemon.by_one_shot"), {}, true};
        const policy::RankedRule by_default{*parse_boot_rule("@default wait=30"),
                                            Message("daemon.by_configuration")};
        const policy::RankedRule all{*parse_boot_rule("id=*"), Message("daemon.by_saved")};
        const auto claims = policy::claims_of({once, by_default, all}, registry);
        REQUIRE(claims.size() == 5);
        CHECK(claims[0].names == std::vector{Candidate("nvme-1/bls/worse", "worse")});
        CHECK(claims[1].names.empty());
        CHECK(claims[1].wait == 0s);  // what it waits for is there
        CHECK(claims[2].names == std::vector{Candidate("nvme-1/bls/good", "good")});
        CHECK(claims[3].names == std::vector{Candidate("nvme-1/bls/bad", "bad")});
        CHECK(claims[4].names == std::vector{Candidate("nvme-1/bls/worse", "worse")});
        CHECK_FALSE(claims[2].last_resort);
        CHECK((claims[3].last_resort && claims[4].last_resort));
        CHECK(claims[3].by.sentence() == "what is left where nothing else is: it has no try left after 3");
    }
}
