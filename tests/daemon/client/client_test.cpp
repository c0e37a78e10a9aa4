// SPDX-License-Identifier: Apache-2.0
#include "daemon/client/client.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <thread>

#include "config/base/unique_fd.hpp"
#include "config/model/settings.hpp"
#include "daemon/state/two_copy_store.hpp"
#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::client;
using namespace std::chrono_literals;
using protocol::Failure;

namespace {

// A peer that accepts one client and, for each call it reads, sends the next of some texts; then it hangs up, or
// keeps silent until the client goes.
class Script {
public:
    Script(std::vector<std::string> answers, bool hang_up)
        : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(listener_.get(), 1) == 0);
        thread_ = std::jthread([this, answers = std::move(answers), hang_up] { play(answers, hang_up); });
    }
    [[nodiscard]] std::string path() const { return (tree_.path() / "socket").string(); }

private:
    void play(const std::vector<std::string>& answers, bool hang_up) const {
        const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::array<char, 4096> call;
        for (const auto& answer : answers) {
            if (::recv(client.get(), call.data(), call.size(), 0) <= 0) {
                return;
            }
            ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        }
        while (!hang_up && ::recv(client.get(), call.data(), call.size(), 0) > 0) {
        }
    }

    test::TemporaryTree tree_;
    UniqueFd listener_;
    std::jthread thread_;
};

std::string frame(std::string text) {
    text.push_back('\0');
    return text;
}

Result<boost::json::object> ask(const Script& script, std::chrono::milliseconds deadline = 10s) {
    BlockingClient client;
    REQUIRE(client.connect(script.path()));
    return client.call("x.Y", {}, deadline);
}

}  // namespace

TEST_SUITE("client") {
    TEST_CASE("calls on one connection are answered one after the other") {
        const Script script({frame(R"({"parameters":{"a":1}})"), frame(R"({"parameters":{"a":2}})")}, false);
        BlockingClient client;
        REQUIRE(client.connect(script.path()));
        CHECK(client.call("x.Y", {}, 10s)->at("a").as_int64() == 1);
        CHECK(client.call("x.Y", {}, 10s)->at("a").as_int64() == 2);
    }

    TEST_CASE("each way to fail has its own kind") {
        struct Row {
            std::string_view name;
            std::string answer;
            bool hang_up;
            Failure failure;
        };
        const Row rows[] = {
            {"an error of the service", frame(R"({"error":"io.stillboot.Busy","parameters":{"option":"x"}})"),
             false, Failure::busy},
            {"half an answer", "{\"parameters\"", true, Failure::unreachable},
            {"no answer", "", true, Failure::unreachable},
            {"no JSON", frame("nonsense"), false, Failure::protocol},
            {"not an object", frame("[]"), false, Failure::protocol},
        };
        for (const auto& row : rows) {
            CAPTURE(row.name);
            const Script script({row.answer}, row.hang_up);
            const auto answer = ask(script);
            REQUIRE_FALSE(answer);
            CHECK(protocol::classify(answer.error()) == row.failure);
        }
    }

    TEST_CASE("a service that says nothing is not waited for longer than the deadline") {
        const Script script({""}, false);
        const auto answer = ask(script, 30ms);
        REQUIRE_FALSE(answer);
        CHECK(protocol::classify(answer.error()) == Failure::timed_out);
    }

    TEST_CASE("a call is waited for at least as long as the daemon takes for it at most") {
        CHECK(store_deadline == state::TwoCopyStore::usual_deadline);
        CHECK(scan_deadline == Settings().probe_deadline.value);
        for (const std::string_view method :
             {protocol::SetOneShot::name, protocol::SetDefault::name, protocol::SetSetting::name,
              protocol::AddConfiguration::name, protocol::Boot::name, protocol::GetQuiescePlan::name}) {
            CAPTURE(std::string(method));
            CHECK(deadline_of(method) > 2 * (state::TwoCopyStore::usual_deadline * 2));
            CHECK(deadline_of(method) > 2 * Settings().probe_deadline.value);
        }
        CHECK(deadline_of(protocol::GetState::name) == 10s);
    }

    TEST_CASE("a stream ends with the reply that does not continue") {
        const Script script({frame(R"({"parameters":{"cancelled":"nothing"},"continues":true})") +
                             frame(R"({"parameters":{"cancelled":"countdown"}})")},
                            false);
        BlockingClient client;
        REQUIRE(client.connect(script.path()));
        REQUIRE(client.open<protocol::Cancel>({}));
        const auto first = client.next<protocol::Cancel>();
        CHECK_FALSE(first->last);
        const auto last = client.next<protocol::Cancel>();
        CHECK(last->last);
        CHECK(last->reply.cancelled == protocol::Cancelled::countdown);
        CHECK(protocol::classify(client.next<protocol::Cancel>(30ms).error()) == Failure::timed_out);
    }

    TEST_CASE("a reply that lacks what its type has is named") {
        const Script script({frame(R"({"parameters":{}})")}, false);
        BlockingClient client;
        REQUIRE(client.connect(script.path()));
        CHECK(client.call<protocol::Cancel>({}).error().sentence() == "the field cancelled is missing");
    }

    TEST_CASE("where nobody listens, the path and the reason are said") {
        BlockingClient client;
        CHECK(client.connect("/nowhere/socket").error().sentence() ==
              "stillbootd cannot be reached at /nowhere/socket: ENOENT (No such file or directory)");
        CHECK(protocol::classify(client.connect(std::string(200, 'x')).error()) == Failure::unreachable);
        CHECK(protocol::classify(client.call("x.Y", {}, 10s).error()) == Failure::unreachable);
    }
}
