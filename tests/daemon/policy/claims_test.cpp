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
        chosen.one_shot = Candidate("usb-1/grub/usual", "Debian GNU/Linux");
        chosen.saved_default = Candidate("a*[b]", "odd");
        std::vector<std::string> said;
        const auto rules = policy::ranked_rules(settings, chosen);
        for (const auto& each : rules) {
            said.push_back(each.by.sentence());
        }
        CHECK(said == Names{"what was chosen for once",
                            "what the rule title=recovery names (boot_first, kernel command line)",
                            "the saved default", "the default of the first device"});
        CHECK(rules.at(2).rule.id == "a\\*\\[b\\]");  // an id is no glob
        CHECK(policy::claims_of(rules, two_disks()).at(0).names == std::vector{*chosen.one_shot});
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
}
