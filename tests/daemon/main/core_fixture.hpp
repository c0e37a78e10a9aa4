// SPDX-License-Identifier: Apache-2.0
// The core with a registry of one device, and with everything around it in the test's hands.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include "daemon/main/core.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/json.hpp"

namespace stillboot::test {

using namespace std::chrono_literals;
using protocol::Reply;

inline const server::Peer root_peer(0, 1);
inline const server::Peer user_peer(1000, 2);

class FakeReplier final : public server::Replier {
public:
    bool reply(const Reply& reply) override {
        replies.push_back(reply);
        return is_open;
    }
    bool reply_frame(std::shared_ptr<const std::string> frame, bool) override {
        protocol::FrameReader reader(frame->size());
        REQUIRE(reader.feed(*frame));
        while (const auto one = reader.next()) {
            reply(protocol::decode_reply(*one).value());
        }
        return is_open;
    }
    [[nodiscard]] bool open() const override { return is_open; }
    [[nodiscard]] bool heard() const override { return !is_open; }
    void set_locked(bool now) override { locked = now; }

    std::vector<Reply> replies;
    bool is_open = true;
    std::optional<bool> locked;  ///< as it was last set
};

class FakeBooter final : public handover::Booter {
public:
    void start(handover::Request request, handover::BootEvents told) override {
        requests.push_back(std::move(request));
        events = std::move(told);
    }
    void cancel() override { ++cancels; }
    void plan(handover::Request request, std::function<void(Result<std::vector<std::string>>)> done) override {
        done(std::vector<std::string>{"boots " + request.command_line});
    }
    void quiesce_plan(std::function<void(const Result<protocol::QuiescePlan>&)> done) override {
        protocol::QuiescePlan plan;
        plan.notes.emplace_back("handover.no_store");
        done(cannot_choose ? Result<protocol::QuiescePlan>(Error("handover.busy")) : plan);
    }
    void choose(handover::ChosenFor when, std::optional<handover::Choice> what,
                std::function<void(const Result<handover::Choices>&)> done) override {
        if (cannot_choose) {
            return done(Error("handover.no_place_to_choose"));
        }
        (when == handover::ChosenFor::next_start ? choices.one_shot : choices.saved_default) = std::move(what);
        done(choices);
    }
    void keep_setting(const std::string& key, std::optional<std::string> value,
                      std::function<void(const Result<std::vector<SettingText>>&)> done) override {
        if (cannot_choose) {
            return done(Error("handover.no_place_to_keep"));
        }
        put_text(settings, key, value);
        done(settings);
    }
    [[nodiscard]] bool busy() const override { return false; }

    std::vector<handover::Request> requests;
    handover::BootEvents events;
    int cancels = 0;
    handover::Choices choices;
    std::vector<SettingText> settings;
    bool cannot_choose = false;
};

struct CoreFixture {
    explicit CoreFixture(const std::string& command_line = {})
        : settings(SettingsLayers{{}, {}, "stillboot.final_action=poweroff " + command_line, {}}) {
        registry::DeviceRecord record;
        record.identity.id = "pci-1";
        record.identity.node = "/dev/vda1";
        registry.put_device(record);
        ScanResult result;
        result.finding = std::vector<BootOption>{option("a", "root=1"), option("b", "root=2")};
        registry.set_result("pci-1", result);
        core.on_registry_change();
        settings.use(booter);
        settings.on_change([this] { core.on_settings(); });
    }
    static BootOption option(const std::string& name, const std::string& args) {
        BootOption made;
        made.id = "pci-1/grub/" + name;
        made.title = name;
        made.kernel.path = "/vmlinuz-" + name;
        made.initrds = {{"/initrd", {}, "", ""}};
        made.args = args;
        return made;
    }
    std::shared_ptr<FakeReplier> call(std::string_view method, boost::json::object parameters = {},
                                      bool more = false, const server::Peer& peer = root_peer) {
        protocol::Call message;
        message.method = "io.stillboot." + std::string(method);
        message.parameters = std::move(parameters);
        message.more = more;
        auto replier = std::make_shared<FakeReplier>();
        core.on_call(message, peer, replier);
        return replier;
    }
    static std::string sentence(const FakeReplier& replier) {
        return protocol::to_error(replier.replies.back()).sentence();
    }

    boost::asio::io_context loop{1};
    registry::Registry registry{{}};
    policy::Policy policy{10s};
    FakeBooter booter;
    Log log{Log::Sink::none, LogLevel::debug};
    std::vector<std::optional<std::string>> rescans;
    unsigned settled_again = 0;
    std::vector<bool> restarts;
    std::vector<std::string> named;
    Result<NamedFile> comes_of_named = Error("config.named_nothing", {{"path", "/x"}});
    std::vector<std::pair<handover::HookPoint, handover::HookSubject>> hooks_run;
    std::vector<events::Event> events_told;
    std::vector<handover::ImageSource> scripts;
    std::function<void(const std::optional<Message>&)> script_done;
    std::vector<protocol::Client> clients;
    std::optional<Message> why_no_power_off;
    std::optional<Error> why_no_passwords;
    std::vector<std::string> asked_passwords;
    password::OnChecked on_checked;
    Result<bool> can_match = true;  ///< any hash
    Result<void> setup;             ///< what the firmware answers
    SettingsKeeper settings;
    StageTimes times{std::chrono::steady_clock::now(), 1500ms};
    Core core{loop.get_executor(),
              registry,
              policy,
              booter,
              log,
              CoreHooks{[this](const std::optional<std::string>& device) {
                            rescans.push_back(device);
                            return device != "none";
                        },
                        [this] {
                            ++settled_again;
                            core.on_settled(true);
                        },
                        [this](bool power_off) { return power_off ? why_no_power_off : std::nullopt; },
                        [this](bool power_off) { restarts.push_back(power_off); }, [this] { return clients; },
                        [] { return protocol::System(); }, [this] { return why_no_passwords; },
                        [this](const std::string& hash, const std::string& password, password::OnChecked done) {
                            asked_passwords.push_back(hash + " " + password);
                            on_checked = std::move(done);
                        },
                        [this](const std::string&, const password::OnChecked& done) { done(can_match); },
                        [this](const std::function<void(const Result<void>&)>& done) { done(setup); },
                        [this](const std::string& device, const std::string& path, auto done) {
                            named.push_back(device + ":" + path);
                            done(comes_of_named);
                        },
                        [this](handover::HookPoint point, handover::HookSubject subject) {
                            hooks_run.emplace_back(point, std::move(subject));
                        },
                        [this](const events::Event& event) { events_told.push_back(event); },
                        [this](handover::ImageSource source, auto done) {
                            scripts.push_back(std::move(source));
                            script_done = std::move(done);
                        }},
              settings,
              times};
};

/// The same once the state store, which is empty, was read.
struct KnownStore : CoreFixture {
    KnownStore() { core.on_past({}); }
};

}  // namespace stillboot::test
