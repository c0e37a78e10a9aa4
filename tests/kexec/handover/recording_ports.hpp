// SPDX-License-Identifier: Apache-2.0
// Ports that write down what is asked of them in one list, and fail or are cancelled at a chosen call.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kexec/handover/executor.hpp"
#include "tests/kexec/made_images.hpp"
#include "tests/temporary_tree.hpp"

namespace stillboot::handover::test {

/// The list of calls. A call named in `fail` fails each time; `stop_before` asks for a stop when it comes.
class Script {
public:
    std::vector<std::string> calls;
    std::string fail;
    std::string stop_at;
    std::stop_source stop;

    /// True where this call is to succeed.
    bool note(const std::string& call) {
        calls.push_back(call);
        if (call == stop_at) {
            stop.request_stop();
        }
        return call != fail;
    }
    Result<void> act(const std::string& call) {
        return note(call) ? Result<void>() : Result<void>(Error("test.failed", {{"at", call}}));
    }
};

class ScriptedFetcher final : public Fetcher {
public:
    explicit ScriptedFetcher(Script& script) : script_(script) {}
    std::map<std::string, std::string> files;

    Result<UniqueFd> fetch(const ImageSource& source, std::uint64_t max_bytes, const Progress& progress,
                           std::stop_token) override {
        if (auto done = script_.act("fetch " + source.path); !done) {
            return done.error();
        }
        const std::string& contents = files[source.path];
        CHECK(contents.size() <= max_bytes);
        progress(contents.size(), contents.size());
        return stillboot::test::sealed(contents);
    }

private:
    Script& script_;
};

class ScriptedLoader final : public kexec::Loader {
public:
    explicit ScriptedLoader(Script& script) : script_(script) {}
    std::optional<unsigned> left;
    std::vector<kexec::LoadOrder> orders;
    std::string initrd_of_last;
    kexec::LoadedBy by = kexec::LoadedBy::kernel;

    Result<kexec::LoadedBy> load(const kexec::LoadOrder& order) override {
        if (auto done = script_.act(order.trial ? "trial" : "load"); !done) {
            return done.error();
        }
        if (order.initrd >= 0) {
            const UniqueFd copy(::dup(order.initrd));
            initrd_of_last = stillboot::test::contents_of(copy);
        }
        orders.push_back(order);
        loaded_ = true;
        return by;
    }
    Result<void> unload() override {
        if (auto done = script_.act("unload"); !done) {
            return done;
        }
        loaded_ = false;
        return {};
    }
    Result<bool> loaded() override { return loaded_; }
    std::optional<unsigned> calls_left() override { return left; }
    Error jump() override {
        script_.note("jump");
        return Error("test.jump_returned");
    }

    bool loaded_ = false;

private:
    Script& script_;
};

/// Three devices; the second unbind can be made to fail.
class ScriptedQuiescer final : public Quiescer {
public:
    explicit ScriptedQuiescer(Script& script) : script_(script) {
        for (const char* name : {"nvme0", "eth0", "usb1"}) {
            quiesce::PlanStep step;
            step.name = name;
            step.path = std::string("/sys/devices/") + name;
            step.bus = "pci";
            step.driver = std::string(name) + "_driver";
            devices.steps.push_back(step);
        }
    }
    quiesce::Plan devices;
    quiesce::Rest rest = quiesce::Rest::still;
    std::string hangs;        ///< the name of a device whose unbind does not return
    bool store_goes = false;  ///< the state store's own devices go at the end
    std::vector<Message> not_back;
    std::vector<quiesce::UndoRecord> undone;

    Result<quiesce::Plan> plan() override {
        if (auto done = script_.act("plan"); !done) {
            return done.error();
        }
        return devices;
    }
    quiesce::Execution execute(const quiesce::Plan& plan, quiesce::RunnerOptions options) override {
        quiesce::Execution execution;
        execution.record.boot_id = "this-boot";
        std::size_t done = 0;
        for (const quiesce::PlanStep& step : plan.steps) {
            if (options.stop.stop_requested()) {
                execution.failure = Error("quiesce.cancelled");
                return execution;
            }
            quiesce::RecordedDevice device;
            device.path = step.path;
            device.name = step.name;
            device.bus = step.bus;
            device.driver = step.driver;
            execution.record.unbound.push_back(device);
            execution.record.in_flight = {device.path};
            if (auto kept = options.persist(execution.record); !kept) {
                execution.failure = kept.error();
                return execution;
            }
            quiesce::StepProgress progress;
            progress.running.push_back({&step, std::chrono::milliseconds(0), false, {}});
            progress.done = done++;
            progress.total = plan.steps.size();
            options.on_progress(progress);
            if (step.name == hangs) {
                execution.record.hung.push_back(step.path);
                (void)options.persist(execution.record);
                execution.outcomes.push_back({step, quiesce::StepOutcome::End::hung, 0, {}});
                execution.failure =
                    Error("quiesce.hung", {{"device", step.path}, {"driver", step.driver}, {"seconds", 10}});
                return execution;
            }
            if (!script_.note("unbind " + step.name)) {
                execution.failure = Error("quiesce.unbind_failed");
                return execution;
            }
        }
        if (store_goes) {
            options.on_store_goes(execution.outcomes);
        }
        return execution;
    }
    Result<quiesce::Verification> verify(const quiesce::Plan&) override {
        if (auto done = script_.act("check"); !done) {
            return done.error();
        }
        quiesce::Verification verification;
        quiesce::Verdict verdict;
        verdict.name = "0000:00:04.0";
        verdict.rest = rest;
        verification.verdicts.push_back(verdict);
        return verification;
    }
    quiesce::UndoReport undo(const quiesce::UndoRecord& record) override {
        undone.push_back(record);
        script_.note("bind back " + std::to_string(record.unbound.size()));
        quiesce::UndoReport report;
        report.not_back = not_back;
        return report;
    }

private:
    Script& script_;
};

class ScriptedSurroundings final : public Surroundings {
public:
    explicit ScriptedSurroundings(Script& script) : script_(script) {}
    std::vector<Message> beyond;

    std::vector<Message> beyond_us(const std::vector<Message>&) override { return beyond; }
    std::vector<Volume> ours;  ///< open when the hand-over begins
    std::vector<Volume> brought_back;

    std::vector<Volume> volumes() override { return ours; }
    Result<void> take_down() override { return script_.act("take down"); }
    std::vector<Message> bring_back(const std::vector<Volume>& volumes) override {
        script_.note("bring back");
        brought_back = volumes;
        return {};
    }

private:
    Script& script_;
};

class ScriptedStore final : public quiesce::StateStore {
public:
    explicit ScriptedStore(Script& script) : script_(script) {}
    std::optional<std::string> contents;
    std::vector<std::string> written;

    Result<void> write(std::string_view record) override {
        const auto parsed = record_from_text(record);
        REQUIRE(parsed);
        if (auto done = script_.act("record " + std::string(to_word(parsed->step)) + " " +
                                    std::to_string(parsed->devices.unbound.size()));
            !done) {
            return done;
        }
        contents = record;
        written.emplace_back(record);
        return {};
    }
    Result<std::optional<std::string>> read() override {
        if (script_.fail == "read record") {
            return Error("test.failed", {{"at", "read record"}});
        }
        return contents;
    }
    Result<void> clear() override {
        if (auto done = script_.act("clear record"); !done) {
            return done;
        }
        contents.reset();
        return {};
    }
    std::string device() const override { return {}; }

private:
    Script& script_;
};

/// A durable store: what it holds, each time; it can be made to fail.
class MemoryStore final : public quiesce::StateStore {
public:
    explicit MemoryStore(Script& script) : script_(script) {}
    std::optional<std::string> contents;
    std::vector<std::string> written;
    std::size_t calls_at_last_write = 0;  ///< how many there were of all ports before it
    bool fails = false;
    std::size_t limit = std::string::npos;

    Result<void> write(std::string_view text) override {
        if (fails) {
            return Error("state.write_failed", {{"copy", "file stillboot.0"}, {"errno", "EIO"}});
        }
        if (text.size() > limit) {
            return Error("state.too_large",
                         {{"bytes", std::uint64_t{text.size()}}, {"limit", std::uint64_t{limit}}});
        }
        contents = text;
        written.emplace_back(text);
        calls_at_last_write = script_.calls.size();
        return {};
    }
    Result<std::optional<std::string>> read() override {
        return fails ? Result<std::optional<std::string>>(Error("state.hangs", {{"place", "/dev/sda9"}}))
                     : contents;
    }
    Result<void> clear() override { return write({}); }
    std::vector<Message> damaged;
    std::vector<Message> damage() override { return damaged; }
    std::string device() const override { return "/dev/sda9"; }
    std::size_t max_bytes() const override { return limit; }
    void close() override { script_.note("close store"); }

private:
    Script& script_;
};

class ScriptedRestarter final : public Restarter {
public:
    explicit ScriptedRestarter(Script& script) : script_(script) {}
    Error restart() override {
        script_.note("restart");
        return Error("handover.restart_failed", {{"errno", "EIO"}});
    }

private:
    Script& script_;
};

class ScriptedWatchdog final : public Watchdog {
public:
    explicit ScriptedWatchdog(Script& script) : script_(script) {}
    bool guards = true;

    Result<Armed> arm(std::chrono::seconds timeout) override {
        if (auto done = script_.act("arm " + std::to_string(timeout.count())); !done) {
            return done.error();
        }
        armed_ = true;
        return Armed{"watchdog0", "made up", timeout, guards};
    }
    Result<void> disarm() override {
        return std::exchange(armed_, false) ? script_.act("disarm") : Result<void>();
    }

private:
    Script& script_;
    bool armed_ = false;
};

/// The name of one entry's file, as it goes forth and back.
class ScriptedCounter final : public TryCounter {
public:
    explicit ScriptedCounter(Script& script) : script_(script) {}
    std::string name = "first+3.conf";

    Result<void> take(const Try& one) override {
        auto done = script_.act("take " + one.file.name);
        if (done) {
            CHECK(name == one.file.name);
            name = one.after;
        }
        return done;
    }
    Result<void> give_back(const Try& one) override {
        auto done = script_.act("give back " + one.file.name);
        if (done) {
            name = one.file.name;
        }
        return done;
    }

private:
    Script& script_;
};

/// What the firmware is asked for, with every change of it in the script.
class ScriptedEntryOnce final : public EntryOnce {
public:
    explicit ScriptedEntryOnce(Script& script) : script_(script) {}
    std::optional<std::string> entry;

    Result<void> set(const std::optional<std::string>& wanted) override {
        if (auto done = script_.act("entry " + wanted.value_or("none")); !done) {
            return done;
        }
        entry = wanted;
        return {};
    }

private:
    Script& script_;
};

/// Hooks of two points, each with these names.
class ScriptedHooks final : public Hooks {
public:
    explicit ScriptedHooks(Script& script) : script_(script) {}
    std::vector<std::string> all;  ///< none: there is no step for them
    std::vector<HookSubject> subjects;

    std::vector<std::string> names(HookPoint) override { return all; }
    Result<void> run(HookPoint point, const HookSubject& subject, const Say& say, std::stop_token) override {
        subjects.push_back(subject);
        say(Message("handover.hook_said", {{"name", to_word(point)}, {"line", "runs"}}));
        return script_.act("hooks " + std::string(to_word(point)));
    }

private:
    Script& script_;
};

class QuietJournal final : public quiesce::Journal {
public:
    std::vector<std::string> lines;
    std::vector<std::string> kept;
    void line(const Message& message) override { lines.push_back(message.sentence()); }
    void keep(std::string_view line) override { kept.emplace_back(line); }
};

class EventList final : public Observer {
public:
    std::vector<Event> events;
    void on_event(const Event& event) override { events.push_back(event); }
    std::vector<std::string> lines;
    void on_line(const Message& line) override { lines.push_back(line.sentence()); }
};

/// A machine of ports with a kernel and two initrds to hand over to.
class Bench {
public:
    Bench() : root(tree.root()) {
        tree.file("proc/meminfo", "MemAvailable: 1000000 kB\n");
        tree.file("proc/sys/kernel/random/boot_id", "this-boot\n");
        fetcher.files = {{"/vmlinuz", stillboot::test::made_bzimage()}, {"/one", "111"}, {"/two", "22222"}};
        request.option_id = "disk/grub/debian";
        request.title = "Debian";
        request.kernel.path = "/vmlinuz";
        request.initrds.resize(2);
        request.initrds[0].path = "/one";
        request.initrds[1].path = "/two";
        request.command_line = "root=/dev/vda1 quiet";
    }

    [[nodiscard]] Ports ports() {
        return Ports{root,     fetcher, loader, quiescer, surroundings, store, durable.get(), restarter,
                     watchdog, counter, hooks,  journal,  events,       clock, entry_once};
    }
    Outcome run() {
        auto plan = prepare(request, options, ports());
        REQUIRE(plan);
        script.calls.clear();
        return handover::run(*plan, ports(), script.stop.get_token());
    }

    stillboot::test::TemporaryTree tree;
    Root root;
    Script script;
    ScriptedFetcher fetcher{script};
    ScriptedLoader loader{script};
    ScriptedQuiescer quiescer{script};
    ScriptedSurroundings surroundings{script};
    ScriptedStore store{script};
    std::unique_ptr<MemoryStore> durable;  ///< null: this machine has none
    ScriptedRestarter restarter{script};
    ScriptedWatchdog watchdog{script};
    ScriptedCounter counter{script};
    ScriptedHooks hooks{script};
    QuietJournal journal;
    EventList events;
    SystemClock clock;
    ScriptedEntryOnce entry_once{script};
    Request request;
    Options options;
};

/// The same with hooks.
class HookedBench : public Bench {
public:
    HookedBench() { hooks.all = {"10-first", "20-second"}; }
};

}  // namespace stillboot::handover::test
