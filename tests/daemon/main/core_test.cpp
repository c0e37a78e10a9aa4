// SPDX-License-Identifier: Apache-2.0
#include "daemon/main/core.hpp"

#include <doctest/doctest.h>

#include "tests/daemon/main/core_fixture.hpp"

using namespace stillboot;
using namespace std::chrono_literals;
using protocol::Reply;

using Fixture = test::CoreFixture;
using protocol::Role;
using test::FakeReplier;
using test::root_peer;
using test::user_peer;

TEST_SUITE("core") {
    TEST_CASE_FIXTURE(test::KnownStore, "each method is for its role and those above it") {
        struct Row {
            const char* method;
            Role needed;
        };
        const Row rows[] = {{"GetState", Role::look},
                            {"ListOptions", Role::look},
                            {"ListDevices", Role::look},
                            {"GetLog", Role::look},
                            {"Watch", Role::look},
                            {"ListClients", Role::look},
                            {"Boot", Role::boot},
                            {"Cancel", Role::boot},
                            {"Rescan", Role::boot},
                            {"Reboot", Role::all},
                            {"PowerOff", Role::all},
                            {"SetDefault", Role::configure},
                            {"SetOneShot", Role::configure},
                            {"GetSettings", Role::look},
                            {"GetSystem", Role::look},
                            {"GetReport", Role::look},
                            {"GetTimes", Role::look},
                            {"ListAttempts", Role::look},
                            {"SetSetting", Role::configure}};
        for (const Row& row : rows) {
            for (const Role has : {Role::look, Role::boot, Role::configure, Role::all}) {
                CAPTURE(std::string(row.method));
                CAPTURE(static_cast<int>(has));
                // Boot lacks its option: whoever may call it is told that, and nothing starts.
                const auto replier = call(row.method, {}, true, server::Peer(1000, 2, has));
                const bool denied = replier->replies.at(0).error == "io.stillboot.PermissionDenied";
                CHECK(denied == (has < row.needed));
            }
        }
        CHECK(rescans.size() == 3);
        CHECK(restarts.size() == 2);
    }

    TEST_CASE_FIXTURE(Fixture, "nothing happens for whoever may only look, who is told what it takes") {
        for (const char* method : {"Boot", "Cancel", "Rescan", "SetDefault", "SetOneShot", "Reboot", "PowerOff"}) {
            CAPTURE(std::string(method));
            (void)call(method, {{"option", "a"}}, false, user_peer);
        }
        CHECK(booter.requests.empty());
        CHECK(rescans.empty());
        CHECK(restarts.empty());
        CHECK(sentence(*call("Reboot", {}, false, server::Peer(1000, 2, Role::configure))) ==
              "this needs the role all, and the caller has the role configure");
        CHECK(server::Peer(0, 2, Role::look).role == Role::all);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "what is refused is logged with the peer, and who asks again and again fills no log") {
        const auto before = log.lines().size();
        for (int i = 0; i < 1000; ++i) {
            call("Boot", {{"option", "a"}}, false, user_peer);
        }
        CHECK(log.lines().size() == before + 5);
        CHECK(log.lines().back().text ==
              "user 1000 (process 2) was refused io.stillboot.Boot: it needs the role boot and has the role look");
        CHECK(log.lines().back().level == LogLevel::warning);
        call("Boot", {{"option", "a"}}, false, server::Peer(1001, 3));
        CHECK(log.lines().size() == before + 6);
    }

    TEST_CASE_FIXTURE(Fixture, "unknown methods, interfaces and parameters have their own errors") {
        CHECK(call("Nothing")->replies.at(0).error == "org.varlink.service.MethodNotFound");
        protocol::Call other;
        other.method = "io.other.X";
        const auto replier = std::make_shared<FakeReplier>();
        core.on_call(other, root_peer, replier);
        CHECK(replier->replies.at(0).error == "org.varlink.service.InterfaceNotFound");
        CHECK(sentence(*call("Boot", {{"option", "a"}, {"apend", "x"}})) == "the parameter apend is not valid");
        CHECK(sentence(*call("SetSetting")) == "the parameter key is not valid");
        CHECK(sentence(*call("GetState", {{"x", 1}})) == "the parameter x is not valid");
        CHECK(sentence(*call("Watch")) == "the method must be called with `more`");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a chosen option is booted with its resources resolved and its command line edited") {
        const auto replier = call("Boot", {{"option", "b"}, {"append", "nonce=7"}}, true);
        REQUIRE(booter.requests.size() == 1);
        const auto& request = booter.requests[0];
        CHECK(request.kernel.node == "/dev/vda1");
        CHECK(request.kernel.path == "/vmlinuz-b");
        CHECK(request.initrds.at(0).path == "/initrd");
        CHECK(request.command_line == "root=2 nonce=7");
        CHECK(core.state().phase == protocol::Phase::handover);
        CHECK(call("Reboot")->replies.at(0).error == "io.stillboot.Busy");
        CHECK(call("PowerOff")->replies.at(0).error == "io.stillboot.Busy");
        CHECK(restarts.empty());
        handover::Event event;
        event.step = handover::Step::unbind;
        event.message = Message("daemon.no_medium");
        event.done = 1;
        event.total = 2;
        booter.events.on_event(event);
        booter.events.on_line(Message("daemon.said", {{"text", "a hook has spoken"}}));
        CHECK(log.lines().back().text == "a hook has spoken");
        CHECK(replier->replies.size() == 2);
        CHECK(replier->replies[1].continues);
        CHECK(core.state().progress->step == "unbind");
        booter.events.on_failed(Error("daemon.jump_returned"));
        CHECK(sentence(*replier) == "the boot failed: the jump returned");
        CHECK_FALSE(replier->replies.back().continues);
        CHECK(core.state().phase == protocol::Phase::discovering);
        CHECK(core.state().last_failure->code() == "daemon.jump_returned");
        CHECK_FALSE(core.state().progress);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "args replaces the command line, append is put behind it, and a second line is refused") {
        CHECK(call("Boot", {{"option", "a"}, {"args", "x"}, {"append", "y"}, {"dry_run", true}})
                  ->replies.at(0)
                  .parameters.at("plan")
                  .at(0)
                  .as_string() == "boots x y");
        CHECK(booter.requests.empty());
        CHECK(sentence(*call("Boot", {{"option", "a"}, {"append", "x\ny"}})) ==
              "refused: a command line is one line of text");
    }

    TEST_CASE_FIXTURE(Fixture, "a second hand-over is refused as busy, and cancel stops the first") {
        call("Boot", {{"option", "a"}});
        CHECK(sentence(*call("Boot", {{"option", "b"}})) == "a is being booted already");
        CHECK(booter.requests.size() == 1);
        CHECK(call("Cancel")->replies.at(0).parameters.at("cancelled") == "handover");
        CHECK(booter.cancels == 1);
    }

    TEST_CASE_FIXTURE(Fixture, "what is not there, not ready or not clear is refused with the reason") {
        CHECK(sentence(*call("Boot", {{"option", "z"}})) == "there is no z");
        ScanResult result;
        auto waiting = option("w", "");
        waiting.kernel.device = {DeviceRef::Kind::uuid, "U"};
        auto twin = option("t2", "");
        twin.title = "t";
        auto twin_too = option("t1", "");
        twin_too.title = "t";
        result.finding = std::vector<BootOption>{waiting, twin, twin_too};
        registry.set_result("pci-1", result);
        CHECK(sentence(*call("Boot", {{"option", "w"}})) ==
              "refused: w cannot be booted yet: no device with uuid U is present");
        CHECK(sentence(*call("Boot", {{"option", "t"}})) == "t fits several: pci-1/grub/t2, pci-1/grub/t1");
    }

    TEST_CASE_FIXTURE(Fixture, "the countdown's default boots when its time is over") {
        policy::Policy& policy_now = policy;
        policy_now = policy::Policy(0s);
        core.on_registry_change();
        policy_now.on_claims({},
                             {{Message("daemon.by_configuration"), 0s, {policy::Candidate("pci-1/grub/a", "a")}}});
        core.on_settled(true);
        REQUIRE(booter.requests.size() == 1);
        CHECK(booter.requests[0].command_line == "root=1");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a target that went at the last moment fails like any boot, and the next is tried") {
        policy = policy::Policy(0s);
        policy.on_claims({}, {{Message("daemon.by_configuration"),
                               0s,
                               {policy::Candidate("gone", "gone"), policy::Candidate("pci-1/grub/b", "b")}}});
        core.on_settled(true);
        CHECK(booter.requests.empty());
        loop.poll();
        CHECK(core.state().last_failure->sentence() == "gone is not there any more");
        REQUIRE(booter.requests.size() == 1);
        CHECK(booter.requests[0].command_line == "root=2");
    }

    TEST_CASE_FIXTURE(Fixture, "@default is what would boot, and the state says by whom and what it beat") {
        const auto by = [](const char* rule) {
            return Message("daemon.by_rule", {{"rule", rule}, {"key", "boot"}, {"origin", "/etc/s.toml:1"}});
        };
        CHECK(sentence(*call("Boot", {{"option", "@default"}})) == "there is no @default");
        policy.on_claims(
            {}, {{by("title=b"), 0s, {{"pci-1/grub/b", "b"}}}, {by("title=a"), 0s, {{"pci-1/grub/a", "a"}}}});
        core.on_settled(true);
        const protocol::State state = core.state();
        CHECK(state.by == by("title=b"));
        REQUIRE(state.beaten.size() == 1);
        CHECK(state.beaten[0] == protocol::Beaten{by("title=a"), "pci-1/grub/a", "a"});
        CHECK_FALSE(state.strict);
        call("Boot", {{"option", "@default"}});
        REQUIRE(booter.requests.size() == 1);
        CHECK(booter.requests[0].command_line == "root=2");
    }

    TEST_CASE_FIXTURE(test::KnownStore,
                      "what is chosen for each start and for the next one is kept, shown and forgotten") {
        core.on_settled(true);
        CHECK(call("SetDefault", {{"option", "a"}})->replies.at(0).parameters.at("option") == "pci-1/grub/a");
        CHECK(core.state().would_boot == "pci-1/grub/a");
        CHECK(core.state().why.sentence() == "a is the saved default");
        CHECK(booter.choices.saved_default == handover::Choice{"pci-1/grub/a", "a"});
        call("SetOneShot", {{"option", "b"}});
        CHECK(core.state().would_boot == "pci-1/grub/b");  // though a countdown ran already
        CHECK(core.state().why.sentence() == "b is what was chosen for once");
        CHECK(call("SetOneShot")->replies.at(0).parameters.at("option").is_null());
        CHECK_FALSE(booter.choices.one_shot);
        CHECK(sentence(*call("SetOneShot", {{"option", "z"}})) == "there is no z");
        booter.cannot_choose = true;
        CHECK(
            sentence(*call("SetDefault", {{"option", "b"}})) ==
            "refused: there is no state store to keep a choice in: name the option in the setting boot, or make a "
            "store as stillboot.toml(5) says");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "what is chosen before the store is known is kept there, and answered, once it is") {
        const auto replier = call("SetOneShot", {{"option", "b"}});
        const auto setting = call("SetSetting", {{"key", "timeout"}, {"value", "20"}});
        const auto for_once = call("SetSetting", {{"key", "timeout"}, {"value", "5"}, {"once", true}});
        CHECK(for_once->replies.size() == 1);
        CHECK(replier->replies.empty());
        CHECK(setting->replies.empty());
        CHECK_FALSE(booter.choices.one_shot);
        for (int i = 0; i < 30; ++i) {
            CHECK(call("SetDefault", {{"option", "a"}})->replies.empty());
        }
        CHECK(sentence(*call("SetDefault", {{"option", "b"}})) == "refused: another hand-over is under way");
        core.on_past({});
        REQUIRE(replier->replies.size() == 1);
        CHECK(replier->replies.at(0).parameters.at("option") == "pci-1/grub/b");
        CHECK(booter.choices.one_shot == handover::Choice{"pci-1/grub/b", "b"});
        REQUIRE(setting->replies.size() == 1);
        CHECK(booter.settings == std::vector<SettingText>{{"timeout", "20"}});
        core.on_settled(true);
        CHECK(core.state().would_boot == "pci-1/grub/b");
    }

    TEST_CASE_FIXTURE(Fixture, "what the store has chosen comes before the rules, the one-shot first") {
        handover::Past past;
        past.choices =
            handover::Choices{handover::Choice{"pci-1/grub/a", "a"}, handover::Choice{"pci-1/grub/b", "b"}};
        core.on_past(past);
        core.on_settled(true);
        const protocol::State state = core.state();
        CHECK(state.why.sentence() == "b is what was chosen for once");
        REQUIRE(state.beaten.size() == 1);
        CHECK(state.beaten[0] == protocol::Beaten{Message("daemon.by_saved"), "pci-1/grub/a", "a"});
    }

    TEST_CASE_FIXTURE(Fixture, "what the firmware is asked for once comes first, and its boot uses it up") {
        registry::DeviceRecord record;
        record.identity.id = "esp";
        record.identity.node = "/dev/vdb1";
        registry.put_device(record);
        BootOption entry = option("c", "root=3");
        entry.id = "esp/bls/c";
        entry.source.format = "bls";
        ScanResult result;
        result.finding = std::vector<BootOption>{entry};
        registry.set_result("esp", result);
        core.on_registry_change();
        handover::Past past;
        past.entry_once = "C.conf";
        past.choices = handover::Choices{std::nullopt, handover::Choice{"pci-1/grub/b", "b"}};
        core.on_past(past);
        core.on_settled(true);
        const protocol::State state = core.state();
        CHECK(state.why.sentence() == "c is what the firmware is asked for once");
        REQUIRE(state.beaten.size() == 1);
        CHECK(state.beaten[0].title == "b");
        CHECK(state.notices.empty());
        call("Boot", {{"option", "c"}});
        REQUIRE(booter.requests.size() == 1);
        CHECK(booter.requests[0].entry_once == "C.conf");
        booter.events.on_failed(Error("daemon.no_medium"));
        call("Boot", {{"option", "b"}});
        CHECK_FALSE(booter.requests.at(1).entry_once);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "an entry of the firmware's that no device has is said, and the next in order boots") {
        handover::Past past;
        past.entry_once = "gone.conf";
        past.choices = handover::Choices{std::nullopt, handover::Choice{"pci-1/grub/b", "b"}};
        core.on_past(past);
        core.on_settled(true);
        CHECK(core.state().would_boot == "pci-1/grub/b");
        REQUIRE(core.state().notices.size() == 1);
        CHECK(core.state().notices[0].sentence() ==
              "the firmware is asked to boot the entry gone.conf once (LoaderEntryOneShot), which no device has");
    }

    TEST_CASE_FIXTURE(Fixture, "where the past forbids it nothing boots by itself, and a person still can") {
        handover::Past past;
        past.notes.emplace_back("handover.held_down",
                                std::initializer_list<Message::Param>{{"count", 3}, {"title", "a"}});
        past.deaths_of = "pci-1/grub/a";
        policy = policy::Policy(0s);
        policy.on_claims({}, {{Message("daemon.by_configuration"), 0s, {policy::Candidate("pci-1/grub/a", "a")}}});
        core.on_past(past);
        core.on_settled(true);
        loop.poll();
        CHECK(core.state().phase == protocol::Phase::idle);
        CHECK(core.state().notices.front().code() == "handover.held_down");
        CHECK(booter.requests.empty());
        call("Boot", {{"option", "pci-1/grub/a"}});
        CHECK(booter.requests.size() == 1);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "after a boot for which devices went, or before the store was read, devices settle again") {
        core.on_settled(true);
        const auto fail_at = [&](handover::Step step) {
            (void)call("Boot", {{"option", "a"}});
            handover::Event event;
            event.step = step;
            booter.events.on_event(event);
            booter.events.on_failed(Error("handover.cancelled"));
            return settled_again;
        };
        CHECK(fail_at(handover::Step::fetch) == 1);
        core.on_past({});
        CHECK(fail_at(handover::Step::take_down) == 1);
        CHECK(fail_at(handover::Step::unbind) == 2);
        CHECK(fail_at(handover::Step::fetch) == 2);
        CHECK(std::count_if(hooks_run.begin(), hooks_run.end(), [](const auto& run) {
                  return run.first == handover::HookPoint::after_discovery;
              }) == 1);
    }

    TEST_CASE_FIXTURE(Fixture, "a daemon that ends stops what it boots, and begins nothing more") {
        policy = policy::Policy(0s);
        policy.on_claims({}, {{Message("daemon.by_configuration"), 0s, {policy::Candidate("pci-1/grub/a", "a")}}});
        core.on_settled(true);
        REQUIRE(booter.requests.size() == 1);
        core.on_stop();
        CHECK(booter.cancels == 1);
        booter.events.on_failed(Error("handover.cancelled"));
        loop.poll();
        CHECK(booter.requests.size() == 1);
    }

    TEST_CASE_FIXTURE(Fixture, "cancel says what it stopped, whatever the clock waited for") {
        const auto cancelled = [&] { return call("Cancel")->replies.at(0).parameters.at("cancelled"); };
        events_told.clear();
        CHECK(cancelled() == "countdown");  // it was still looking
        CHECK(events_told.size() == 1);
        CHECK(cancelled() == "nothing");
        CHECK(events_told.size() == 1);
        policy = policy::Policy(10s);
        policy.on_settled({}, true);
        CHECK(core.state().phase == protocol::Phase::idle);  // whatever came would be booted
        CHECK(cancelled() == "countdown");
        policy = policy::Policy(std::nullopt);
        CHECK(cancelled() == "nothing");
    }

    TEST_CASE_FIXTURE(Fixture, "clients know what @default means, also where nothing boots by itself") {
        registry.set_result("pci-1", {});
        core.on_registry_change();
        call("Cancel");
        const auto watcher = call("Watch", {}, true);
        CHECK_FALSE(core.state().default_option);
        BootOption by_default = option("c", "root=3");
        by_default.is_default = true;
        ScanResult result;
        result.finding = std::vector<BootOption>{by_default};
        registry.set_result("pci-1", result);
        core.on_registry_change();
        const std::string told = boost::json::serialize(watcher->replies.back().parameters);
        CHECK(told.find("\"default\":\"pci-1/grub/c\"") != std::string::npos);
        CHECK(core.state().default_option == "pci-1/grub/c");
    }

    TEST_CASE_FIXTURE(Fixture, "watchers see everything first and then what changes, in numbered steps") {
        const auto watcher = call("Watch", {}, true);
        const auto change = [&](std::size_t i) {
            return protocol::from_json<protocol::Watch::Reply>(
                       boost::json::value(watcher->replies.at(i).parameters))
                ->change;
        };
        CHECK(change(0).options.size() == 2);
        CHECK(change(0).devices.size() == 1);
        CHECK(change(0).state.has_value());
        registry.remove_device("pci-1");
        core.on_registry_change();
        CHECK(change(1).devices_removed == std::vector<std::string>{"pci-1"});
        CHECK(change(1).seq == change(0).seq + 1);
        CHECK_FALSE(change(1).state);
        core.on_settled(true);
        CHECK(change(2).state->why.sentence() == "nothing that can be booted was found yet");
        CHECK(watcher->replies.size() == 3);
        watcher->is_open = false;
        call("Cancel");
        call("Cancel");
        CHECK(watcher->replies.size() == 4);
    }

    TEST_CASE_FIXTURE(Fixture, "the log comes in one reply, or line by line") {
        log.info(Message("daemon.no_medium"));
        const auto once = call("GetLog");
        CHECK(once->replies.size() == 1);
        CHECK_FALSE(once->replies[0].continues);
        const auto follow = call("GetLog", {}, true);
        log.warning(Message("daemon.stopping"));
        REQUIRE(follow->replies.size() == 2);
        const auto& line = follow->replies[1].parameters.at("lines").at(0);
        CHECK(line.at("text") == "stillbootd ends");
        CHECK(line.at("severity") == "warning");
    }

    TEST_CASE_FIXTURE(Fixture, "rescan, reboot and power-off reach whoever does them") {
        CHECK(call("Rescan")->replies.at(0).error.empty());
        CHECK(sentence(*call("Rescan", {{"device", "none"}})) == "there is no none");
        CHECK(rescans.size() == 2);
        call("Reboot");
        call("PowerOff");
        CHECK(restarts == std::vector<bool>{false, true});
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a restart into the firmware's setup, or the reason why there is none and no restart") {
        CHECK(call("Reboot", {{"firmware_setup", true}})->replies.at(0).error.empty());
        CHECK(restarts == std::vector<bool>{false});
        setup = Error("platform.no_setup");
        CHECK(sentence(*call("Reboot", {{"firmware_setup", true}})).find("does not offer to open its setup") !=
              std::string::npos);
        CHECK(restarts.size() == 1);
        CHECK(call("Reboot", {{"firmware_setup", false}})->replies.at(0).error.empty());
        CHECK(restarts.size() == 2);
        CHECK(sentence(*call("Reboot", {{"setup", true}})) == "the parameter setup is not valid");
        call("Boot", {{"option", "b"}}, true);
        CHECK(call("Reboot", {{"firmware_setup", true}})->replies.at(0).error == "io.stillboot.Busy");
    }

    TEST_CASE_FIXTURE(Fixture, "a power-off that would never end is refused in words") {
        why_no_power_off = Message("daemon.cannot_power_off", {{"device", "/sys/devices/platform/held"}});
        CHECK(sentence(*call("PowerOff")).find("still holds /sys/devices/platform/held") != std::string::npos);
        CHECK(restarts.empty());
    }
}
