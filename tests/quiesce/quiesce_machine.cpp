// SPDX-License-Identifier: Apache-2.0
// Drives the room in a machine of its own, for the machine tests: each word of the command line is one act.
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "quiesce/executor.hpp"
#include "quiesce/json.hpp"
#include "quiesce/state_store.hpp"
#include "quiesce/undo.hpp"
#include "quiesce/verify.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;

namespace {

class Session {
public:
    explicit Session(const Root& root)
        : root_(root), system_(root), store_(root, "/run/stillboot/quiesce-test.json") {}

    int act(std::string_view word) {
        if (word.starts_with("keep=")) {
            policy_.keep = split_names(word.substr(5));
            return 0;
        }
        if (word.starts_with("only=")) {
            only(split_names(word.substr(5)), RuleAction::unbind);
            return 0;
        }
        if (word.starts_with("reset=")) {
            only(split_names(word.substr(6)), RuleAction::reset);
            return 0;
        }
        const auto begin = std::chrono::steady_clock::now();
        const int status = word == "plan"     ? plan()
                           : word == "run"    ? run()
                           : word == "verify" ? verify_all()
                           : word == "undo"   ? undo_all()
                                              : 2;
        const auto took = std::chrono::steady_clock::now() - begin;
        std::printf("%s: %d after %lld ms\n", std::string(word).c_str(), status,
                    static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
        return status;
    }

private:
    // Devices of other drivers than these stay as they are.
    void only(std::vector<std::string> drivers, RuleAction action) {
        Rule wanted;
        wanted.name = "only";
        wanted.drivers = std::move(drivers);
        wanted.action = action;
        wanted.why = "the test names it";
        Rule others;
        others.name = "others";
        others.action = RuleAction::keep;
        others.why = "the test leaves it out";
        policy_.rules = {std::move(wanted), std::move(others)};
    }

    int plan() {
        const auto inventory = read_inventory(root_);
        if (!inventory) {
            return fail(inventory.error());
        }
        plan_ = make_plan(*inventory, policy_);
        for (const auto& line : plan_.text()) {
            std::printf("%s\n", line.c_str());
        }
        return plan_.refused() ? 1 : 0;
    }

    int run() {
        const auto inventory = read_inventory(root_);
        if (!inventory) {
            return fail(inventory.error());
        }
        plan_ = make_plan(*inventory, policy_);
        ExecuteOptions options;
        options.policy = policy_;
        options.runner.persist = [this](const UndoRecord& record) {
            return store_.write(boost::json::serialize(to_json(record)));
        };
        const Execution execution = execute(plan_, *inventory, system_.ports(), options);
        for (const auto& outcome : execution.outcomes) {
            std::printf("%s %s (%s): %lld ms\n", std::string(to_word(outcome.end)).c_str(),
                        outcome.step.name.c_str(), outcome.step.driver.c_str(),
                        static_cast<long long>(outcome.took.count()));
        }
        return execution.ok() ? 0 : fail(*execution.failure);
    }

    int verify_all() {
        const auto inventory = read_inventory(root_);
        if (!inventory) {
            return fail(inventory.error());
        }
        const auto verification = verify(system_.ports(), make_plan(*inventory, policy_));
        if (!verification) {
            return fail(verification.error());
        }
        for (const auto& verdict : verification->verdicts) {
            std::printf("%s %s %s: %s\n", std::string(to_word(verdict.rest)).c_str(), verdict.name.c_str(),
                        verdict.driver.c_str(), verdict.why.sentence().c_str());
        }
        return verification->at_rest() ? 0 : 1;
    }

    int undo_all() {
        const auto text = store_.read();
        if (!text || !*text) {
            return fail(Error("quiesce.record_damaged", {{"reason", "there is none"}}));
        }
        const auto record = record_from_json(boost::json::parse(**text));
        if (!record) {
            return fail(record.error());
        }
        const UndoReport report = undo(*record, system_.ports());
        for (const auto& message : report.not_back) {
            std::printf("not back: %s\n", message.sentence().c_str());
        }
        for (const auto& note : report.notes) {
            std::printf("note: %s\n", note.sentence().c_str());
        }
        return report.complete() ? 0 : 1;
    }

    static int fail(const Error& error) {
        std::printf("failed: %s\n", error.sentence().c_str());
        return 1;
    }

    const Root& root_;
    SystemPorts system_;
    RunStateStore store_;
    Policy policy_;
    Plan plan_;
};

}  // namespace

int main(int count, char** words) {
    const auto root = Root::open("/");
    if (!root) {
        return 1;
    }
    Session session(*root);
    for (int i = 1; i < count; ++i) {
        if (const int status = session.act(words[i]); status != 0) {
            return status;
        }
    }
    return 0;
}
