// SPDX-License-Identifier: Apache-2.0
// Clients that go and come back: they miss nothing, or are told that they did.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "daemon/client/place.hpp"
#include "tests/daemon/main/core_fixture.hpp"
#include "ui/menu/mirror.hpp"

using namespace stillboot;
using namespace std::chrono_literals;
using test::FakeReplier;

namespace {

// Watchers and followers of the log, whose replies come in frames that may hold several messages.
struct Fixture : test::CoreFixture {
    std::shared_ptr<FakeReplier> begin(std::string_view method, const protocol::From& from) {
        return call(method, protocol::to_json(from).as_object(), true, test::user_peer);
    }
    template <class Method>
    static typename Method::Reply reply(const FakeReplier& replier, std::size_t i) {
        return protocol::from_json<typename Method::Reply>(boost::json::value(replier.replies.at(i).parameters))
            .value();
    }
    static protocol::Watch::Reply change(const FakeReplier& replier, std::size_t i) {
        return reply<protocol::Watch>(replier, i);
    }
    void add_device(const std::string& id, int options = 1) {
        registry::DeviceRecord record;
        record.identity.id = id;
        record.identity.node = "/dev/" + id;
        registry.put_device(record);
        ScanResult result;
        std::vector<BootOption> made;
        for (int i = 0; i < options; ++i) {
            made.push_back(option(id + "-" + std::to_string(i), "x"));
            made.back().id = id + "/" + std::to_string(i);
        }
        result.finding = std::move(made);
        registry.set_result(id, std::move(result));
        core.on_registry_change();
    }
    void remove_device(const std::string& id) {
        registry.remove_device(id);
        core.on_registry_change();
    }
};

// A client that reads, loses its connection and comes back, as the menu and the command line do.
struct Reader {
    explicit Reader(Fixture& machine) : fixture(machine) {}

    void connect() {
        replier = fixture.begin("Watch", place.begin());
        taken = 0;
    }
    void disconnect() {
        if (replier) {
            replier->is_open = false;
            replier.reset();
            mirror.set_aside();
        }
    }
    void read() {
        for (; replier && taken < replier->replies.size(); ++taken) {
            const auto reply = Fixture::change(*replier, taken);
            if (taken == 0) {
                ++(reply.change.whole ? wholes : resumed);
                CHECK(reply.session.has_value());
            } else {
                CHECK(reply.change.seq == last + 1);
                CHECK_FALSE(reply.change.whole);
                CHECK_FALSE(reply.session);
            }
            last = reply.change.seq;
            place.take(reply);
            mirror.apply(reply.change);
        }
    }
    void check_equal() {
        const auto options = fixture.registry.options();
        REQUIRE(mirror.option_count() == options.size());
        for (const auto& each : options) {
            REQUIRE(mirror.option(each.id) != nullptr);
            CHECK(*mirror.option(each.id) == each);
        }
        const auto devices = fixture.registry.devices();
        REQUIRE(mirror.devices().size() == devices.size());
        for (const auto& each : devices) {
            REQUIRE(mirror.device(each.id) != nullptr);
            CHECK(*mirror.device(each.id) == each);
        }
        auto now = fixture.core.state();
        now.remaining_ms = mirror.state().remaining_ms;
        CHECK(mirror.state() == now);
    }

    Fixture& fixture;
    std::shared_ptr<FakeReplier> replier;
    std::size_t taken = 0;
    std::uint64_t last = 0;
    int wholes = 0;
    int resumed = 0;
    client::Place place;
    menu::Mirror mirror;
};

// One thing that happens to the machine or to a client.
void step(Fixture& machine, Reader& reader, std::mt19937& random) {
    const auto draw = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    const std::string device = "dev" + std::to_string(draw(6));
    switch (draw(9)) {
        case 0:
        case 1: return machine.add_device(device, static_cast<int>(draw(4)));
        case 2: return machine.remove_device(device);
        case 3:
            machine.registry.set_state(device, protocol::DeviceState::scanning);
            return machine.core.on_registry_change();
        case 4: return machine.core.on_settled(true);
        case 5: machine.call("Cancel"); return;
        case 6: return reader.read();
        case 7: return reader.disconnect();
        default:
            if (!reader.replier) {
                reader.connect();
            }
    }
}

std::uint32_t seed() {
    const char* chosen = std::getenv("STILLBOOT_TEST_SEED");
    return chosen != nullptr ? static_cast<std::uint32_t>(std::stoul(chosen)) : std::random_device()();
}

}  // namespace

TEST_SUITE("core") {
    TEST_CASE_FIXTURE(Fixture, "a watcher that comes back gets each change after the last that it saw") {
        const auto first = begin("Watch", {});
        const auto whole = change(*first, 0);
        CHECK(whole.change.whole);
        REQUIRE(whole.session);
        add_device("x");
        remove_device("x");
        core.on_settled(true);
        const auto again = begin("Watch", {whole.change.seq, whole.session});
        REQUIRE(again->replies.size() == first->replies.size());
        CHECK(change(*again, 0).change.seq == whole.change.seq);
        CHECK_FALSE(change(*again, 0).change.whole);
        CHECK_FALSE(change(*again, 0).change.state);
        CHECK(change(*again, 0).session == whole.session);
        for (std::size_t i = 1; i < again->replies.size(); ++i) {
            auto told = change(*first, i);
            auto repeated = change(*again, i);
            CHECK(repeated.change.seq == whole.change.seq + i);
            if (told.change.state && repeated.change.state) {
                told.change.state->remaining_ms = repeated.change.state->remaining_ms;
            }
            CHECK(repeated.change == told.change);
        }
        // And it goes on, for both alike.
        add_device("y");
        CHECK(change(*again, again->replies.size() - 1).change ==
              change(*first, first->replies.size() - 1).change);
    }

    TEST_CASE_FIXTURE(Fixture, "the time that is left is told as it is now, not as it was") {
        core.on_settled(true);
        const auto first = begin("Watch", {});
        const auto whole = change(*first, 0);
        call("Boot", {{"option", "a"}});
        policy = policy::Policy(10s);
        policy::Claim claim;
        claim.names = {policy::Candidate("pci-1/grub/a", "a")};
        const auto settled = std::chrono::steady_clock::now() - 4s;
        policy.on_claims(settled, {claim});
        policy.on_settled(settled, true);
        const auto again = begin("Watch", {whole.change.seq, whole.session});
        const auto last = change(*again, again->replies.size() - 1);
        REQUIRE(last.change.state);
        CHECK(last.change.state->remaining_ms.value() <= 6000);
    }

    TEST_CASE_FIXTURE(Fixture, "who cannot be told what was missed gets everything, and is told so") {
        const auto first = begin("Watch", {});
        const auto session = change(*first, 0).session;
        const auto seq = change(*first, 0).change.seq;
        const auto is_whole = [&](const protocol::From& from) {
            return change(*begin("Watch", from), 0).change.whole;
        };
        CHECK_FALSE(is_whole({seq, session}));
        CHECK(is_whole({seq, std::nullopt}));
        CHECK(is_whole({std::nullopt, session}));
        CHECK(is_whole({seq, "another run"}));
        CHECK(is_whole({seq + 1, session}));
        for (std::size_t i = 0; i < HistoryBounds().changes; ++i) {
            add_device("x");
        }
        CHECK_FALSE(is_whole({seq + HistoryBounds().changes, session}));
        CHECK(is_whole({0, session}));
        CHECK(Fixture::sentence(*call("Watch", {{"since", -1}}, true)) == "the parameter since is not valid");
        CHECK(Fixture::sentence(*call("Watch", {{"sins", 1}}, true)) == "the parameter sins is not valid");
    }

    TEST_CASE("each run of the daemon has a name of its own") {
        CHECK(new_session().size() == 16);
        CHECK(new_session() != new_session());
    }

    TEST_CASE_FIXTURE(Fixture, "clients that begin together share what they are sent") {
        const auto first = begin("Watch", {});
        const auto second = begin("Watch", {});
        CHECK(change(*first, 0).change == change(*second, 0).change);
        add_device("x");
        const auto third = begin("Watch", {});
        CHECK(change(*third, 0).change.seq > change(*first, 0).change.seq);
        CHECK(change(*third, 0).change.devices.size() == 2);
    }

    TEST_CASE_FIXTURE(Fixture, "a log that is followed again goes on, or begins anew where lines are gone") {
        log.info(Message("daemon.no_medium"));
        const auto first = reply<protocol::GetLog>(*begin("GetLog", {}), 0);
        CHECK(first.whole == true);
        REQUIRE(first.session);
        const std::uint64_t seen = first.lines.back().seq;
        const auto nothing = reply<protocol::GetLog>(*begin("GetLog", {seen, first.session}), 0);
        CHECK(nothing.whole == false);
        CHECK(nothing.lines.empty());
        log.info(Message("daemon.stopping"));
        const auto one = reply<protocol::GetLog>(*begin("GetLog", {seen, first.session}), 0);
        REQUIRE(one.lines.size() == 1);
        CHECK(one.lines[0].seq == seen + 1);
        CHECK(reply<protocol::GetLog>(*begin("GetLog", {seen, "another"}), 0).whole == true);
        CHECK(reply<protocol::GetLog>(*begin("GetLog", {seen + 2, first.session}), 0).whole == true);
        for (std::size_t i = 0; i < Log::max_lines; ++i) {
            log.info(Message("daemon.no_medium"));
        }
        const auto gone = reply<protocol::GetLog>(*begin("GetLog", {seen, first.session}), 0);
        CHECK(gone.whole == true);
        CHECK(gone.lines.size() == Log::max_lines);
        CHECK(reply<protocol::GetLog>(*begin("GetLog", {seen + 1, first.session}), 0).whole == false);
    }

    TEST_CASE_FIXTURE(Fixture, "clients that are cut off are logged, and many of them in a few lines") {
        for (int i = 0; i < 50; ++i) {
            core.on_trouble("user 7", Message("daemon.client_turned_away", {{"peer", "user 7"}, {"count", i}}));
        }
        CHECK(std::count_if(log.lines().begin(), log.lines().end(), [](const LogEntry& entry) {
                  return entry.text.starts_with("user 7 was turned away");
              }) == 5);
    }

    TEST_CASE_FIXTURE(Fixture, "who is connected is told as the server has it") {
        protocol::Client one;
        one.uid = 0;
        one.method = "io.stillboot.Watch";
        clients = {one};
        CHECK(reply<protocol::ListClients>(*call("ListClients"), 0).clients == clients);
    }

    TEST_CASE_FIXTURE(Fixture, "systemd's tools list the options as boot entries, one a reply") {
        const auto list = [this](bool more, boost::json::object parameters = {}) {
            protocol::Call message;
            message.method = "io.systemd.BootControl.ListBootEntries";
            message.parameters = std::move(parameters);
            message.more = more;
            auto replier = std::make_shared<FakeReplier>();
            core.on_call(message, test::user_peer, replier);
            return replier;
        };
        registry::DeviceRecord esp;
        esp.identity.id = "esp";
        esp.filesystem = "vfat";
        registry.put_device(esp);
        auto entry = option("full", "quiet");
        entry.title = "Linux";
        entry.submenus = {"More"};
        entry.source = {"bls", "/loader/entries/l.conf", 1};
        entry.sort_key = "linux";
        entry.version = "6.1";
        entry.tries = BootTries{2, 1};
        entry.devicetree = Resource{"/dtb", {}, "", ""};
        entry.initrds.push_back({"", {}, "tftp://h/i", ""});
        entry.is_default = true;
        auto other = option("other", "");
        other.source.format = "grub";
        ScanResult result;
        result.finding = std::vector<BootOption>{entry, other};
        registry.set_result("esp", result);
        core.on_registry_change();
        const auto listed = list(true);
        REQUIRE(listed->replies.size() == 4);
        CHECK(listed->replies[0].continues);
        CHECK_FALSE(listed->replies[3].continues);
        CHECK(boost::json::serialize(listed->replies[0].parameters.at("entry")) ==
              R"({"type":"type1","source":"esp","id":"pci-1/grub/full","path":"/loader/entries/l.conf",)"
              R"("title":"Linux","showTitle":"More > Linux","sortKey":"linux","version":"6.1","options":"quiet",)"
              R"("linux":"/vmlinuz-full","initrd":["/initrd","tftp://h/i"],"devicetree":"/dtb",)"
              R"("isReported":true,"triesLeft":2,"triesDone":1,"isDefault":true,"isSelected":false})");
        CHECK(listed->replies[1].parameters.at("entry").at("type") == "loader");
        CHECK(listed->replies[2].parameters.at("entry").at("type") == "loader");
        CHECK(listed->replies[2].parameters.at("entry").at("source") == "xbootldr");
        CHECK(list(false)->replies.at(0).error == "org.varlink.service.ExpectedMore");
        CHECK(list(true, {{"x", 1}})->replies.at(0).error == "org.varlink.service.InvalidParameter");
        remove_device("esp");
        remove_device("pci-1");
        CHECK(list(true)->replies.at(0).error == "io.systemd.BootControl.NoSuchBootEntry");
        protocol::Call unknown_call;
        unknown_call.method = "io.systemd.BootControl.SetRebootToFirmware";
        const auto unknown = std::make_shared<FakeReplier>();
        core.on_call(unknown_call, test::root_peer, unknown);
        CHECK(unknown->replies.at(0).error == "org.varlink.service.MethodNotFound");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "who has gone is forgotten when the next one comes, though nothing was told meanwhile") {
        for (const char* method : {"Watch", "GetLog"}) {
            auto gone = call(method, {}, true);
            const std::weak_ptr<FakeReplier> kept = gone;
            gone->is_open = false;
            gone.reset();
            CHECK_FALSE(kept.expired());
            (void)call(method, {}, true);
            CHECK(kept.expired());
        }
    }

    TEST_CASE("whatever changes and however often a client comes back, it ends with the daemon's state") {
        const std::uint32_t first_seed = seed();
        int wholes = 0;
        int resumed = 0;
        for (std::uint32_t run = 0; run < 60; ++run) {
            CAPTURE(first_seed + run);
            std::mt19937 random(first_seed + run);
            Fixture machine;
            Reader reader(machine);
            for (int i = 0; i < 120; ++i) {
                step(machine, reader, random);
            }
            reader.disconnect();
            reader.connect();
            reader.read();
            reader.check_equal();
            wholes += reader.wholes;
            resumed += reader.resumed;
        }
        CHECK(wholes >= 60);
        CHECK(resumed > 60);
    }

    TEST_CASE_FIXTURE(Fixture, "a client that was away for longer than is kept, or for a run, ends with it too") {
        Reader reader(*this);
        reader.connect();
        reader.read();
        reader.disconnect();
        for (std::size_t i = 0; i <= HistoryBounds().changes; ++i) {
            add_device("x" + std::to_string(i % 3), static_cast<int>(i % 4));
        }
        remove_device("pci-1");
        reader.connect();
        reader.read();
        reader.check_equal();
        CHECK(reader.wholes == 2);
    }
}
