// SPDX-License-Identifier: Apache-2.0
// The order of precedence as a table: each row alone, before each that comes after it, and with all of them.
#include <doctest/doctest.h>

#include <algorithm>

#include "config/parse/settings/boot_rule.hpp"
#include "daemon/policy/claims.hpp"

using namespace stillboot;
using namespace std::chrono_literals;
using policy::Candidate;
using policy::KeptChoices;
using policy::Policy;

namespace {

const policy::Instant start{};

/// What somebody has said, in the places where it is looked for.
struct Said {
    Settings settings;
    KeptChoices chosen;
    std::optional<Candidate> retry;
};

// The firmware names entries of the Boot Loader Specification alone.
std::string format_of(const std::string& row) {
    return row == "firmware" ? "bls" : "grub";
}

Candidate option_of(const std::string& row) {
    return {"nvme-1/" + format_of(row) + "/" + row, row};
}

std::vector<BootRule> rule_for(const std::string& row) {
    return {*parse_boot_rule("id=nvme-1/grub/" + row)};
}

/// One row: the option that it wants has its name.
struct Row {
    std::string name;
    std::string who;  ///< wins, as `status` says it; empty where `why` alone says it
    void (*say)(Said& said, const std::string& row);
};

// The first wins. The last always has its say, unless `boot` replaces it.
const std::vector<Row> rows{
    {"retry", "", [](Said& said, const std::string& row) { said.retry = option_of(row); }},
    {"firmware", "what the firmware is asked for once",
     [](Said& said, const std::string& row) { said.chosen.entry_once = row + ".conf"; }},
    {"one-shot", "what was chosen for once",
     [](Said& said, const std::string& row) { said.chosen.one_shot = option_of(row); }},
    {"boot_first", "what the rule id=nvme-1/grub/boot_first names (boot_first, kernel command line)",
     [](Said& said, const std::string& row) {
         said.settings.boot_first.value = rule_for(row);
         said.settings.boot_first.origin = Origin{"kernel command line", 0};
     }},
    {"saved-default", "the saved default",
     [](Said& said, const std::string& row) { said.chosen.saved_default = option_of(row); }},
    {"boot", "what the rule id=nvme-1/grub/boot names (boot, /etc/stillboot/stillboot.toml:3)",
     [](Said& said, const std::string& row) {
         said.settings.boot.value = rule_for(row);
         said.settings.boot.origin = Origin{"/etc/stillboot/stillboot.toml", 3};
     }},
    {"configuration", "the default of the first device", [](Said&, const std::string&) {}},
};
const std::size_t last = rows.size() - 1;

// One disk with an option for each row but those that are away; the last row's is the configuration's default.
registry::Registry disk_without(const std::vector<std::string>& away) {
    registry::Registry registry{{}};
    registry::DeviceRecord record;
    record.identity.id = "nvme-1";
    record.identity.node = "/dev/nvme0n1";
    registry.put_device(record);
    std::vector<BootOption> options;
    for (const Row& row : rows) {
        if (std::find(away.begin(), away.end(), row.name) == away.end()) {
            BootOption option;
            option.id = option_of(row.name).option;
            option.title = row.name;
            option.kernel.path = "/vmlinuz";
            option.source.format = format_of(row.name);
            option.is_default = row.name == rows[last].name;
            options.push_back(std::move(option));
        }
    }
    ScanResult result;
    result.finding = std::move(options);
    registry.set_result("nvme-1", result);
    return registry;
}

Policy decided(const Said& said, const registry::Registry& registry) {
    Policy policy(10s);
    policy.on_claims(start, claims_of(ranked_rules(said.settings, said.chosen), registry));
    if (said.retry) {
        policy.on_retry(*said.retry);
    }
    policy.on_settled(start, true);
    return policy;
}

Policy decided(const std::vector<std::size_t>& speaking, const std::vector<std::string>& away = {}) {
    Said said;
    for (const std::size_t row : speaking) {
        rows[row].say(said, rows[row].name);
    }
    return decided(said, disk_without(away));
}

void check_winner(const Policy& policy, const Row& row) {
    REQUIRE(policy.target());
    CHECK(policy.target()->title == row.name);
    CHECK((policy.by() ? policy.by()->sentence() : "") == row.who);
}

// The titles of what the winner came before.
std::vector<std::string> beaten(const Policy& policy) {
    std::vector<std::string> titles;
    for (const policy::Beaten& each : policy.beaten()) {
        titles.push_back(each.what.title);
    }
    return titles;
}

}  // namespace

TEST_SUITE("policy") {
    TEST_CASE("precedence: each row alone wins over what a configuration calls its default") {
        for (std::size_t row = 0; row <= last; ++row) {
            CAPTURE(rows[row].name);
            check_winner(decided({row}), rows[row]);
        }
    }

    TEST_CASE("precedence: each row wins over each that comes after it, which is named as beaten") {
        for (std::size_t high = 0; high < last; ++high) {
            for (std::size_t low = high + 1; low <= last; ++low) {
                CAPTURE(rows[high].name);
                CAPTURE(rows[low].name);
                const Policy policy = decided({low, high});
                check_winner(policy, rows[high]);
                const auto titles = beaten(policy);
                const bool replaced = rows[low].name == "configuration" && rows[high].name == "boot";
                const bool said = std::count(titles.begin(), titles.end(), rows[low].name) == 1;
                // What is booted again has no rule, and so no rules behind it.
                CHECK(said == (!rows[high].who.empty() && !replaced));
            }
        }
    }

    TEST_CASE("precedence: where what a row wants is not there, the next row wins") {
        std::vector<std::string> away;
        // A retry is told of only where its option is there.
        std::vector<std::size_t> speaking;
        for (std::size_t row = 1; row < last; ++row) {
            speaking.push_back(row);
        }
        for (std::size_t row = 1; row < last; ++row) {
            CAPTURE(rows[row].name);
            const Policy policy = decided(speaking, away);
            check_winner(policy, rows[row]);
            std::vector<std::string> behind;
            for (std::size_t each = row + 1; each < last; ++each) {
                behind.push_back(rows[each].name);
            }
            CHECK(beaten(policy) == behind);
            away.push_back(rows[row].name);
        }
        CHECK_FALSE(decided(speaking, away).target());  // `boot` has taken the configuration's place
    }

    TEST_CASE("precedence: what fails is followed by the next row's, down to the last") {
        Said said;
        for (std::size_t row = 0; row + 2 <= last; ++row) {  // not `boot`, which replaces the last
            rows[row].say(said, rows[row].name);
        }
        Policy policy = decided(said, disk_without({}));
        for (std::size_t row = 0; row <= last; ++row) {
            if (rows[row].name == "boot") {
                continue;
            }
            check_winner(policy, rows[row]);
            CHECK(policy.on_time(*policy.wake_at()).boot == option_of(rows[row].name).option);
            policy.on_boot_failed(start + 1h, Message("daemon.strict"));
        }
        CHECK(policy.phase() == policy::Phase::idle);
        CHECK(policy.why().code() == "daemon.why_all_tried");
    }
}
