// SPDX-License-Identifier: Apache-2.0
// A varlink service on a temporary socket that answers as a test says, and notes what it was asked.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "daemon/protocol/varlink.hpp"
#include "tests/temporary_tree.hpp"
#include "tests/ui/cli/run.hpp"

namespace stillboot::test {

/// Serves one connection at a time until it is destroyed. Thread: the replies are set before the first call.
class ScriptedServer {
public:
    ScriptedServer() : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
        ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
        ::listen(listener_.get(), 4);
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;
    ~ScriptedServer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    /// What a method answers, in one reply or several. A method without any has the connection closed on it.
    void answer_all(std::string_view method, std::vector<protocol::Reply> replies) {
        replies_[std::string(method)] = std::move(replies);
    }
    void answer(std::string_view method, boost::json::value parameters) {
        protocol::Reply reply;
        reply.parameters = std::move(parameters).as_object();
        answer_all(method, {std::move(reply)});
    }
    /// What a method answers on one connection after the other, each of which is then closed.
    void answer_in_turn(std::string_view method, std::vector<std::vector<protocol::Reply>> turns) {
        turns_[std::string(method)] = {turns.begin(), turns.end()};
    }
    void start() {
        thread_ = std::thread([this] { serve(); });
    }
    /// Ends the service, so that what it was asked can be read.
    std::vector<protocol::Call> stop() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
        return std::move(calls_);
    }
    [[nodiscard]] std::string path() const { return (tree_.path() / "socket").string(); }

private:
    void serve() {
        for (;;) {
            const UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!connection) {
                return;
            }
            converse(connection.get());
        }
    }

    void converse(int fd) {
        protocol::FrameReader reader(1 << 20);
        std::array<char, 4096> chunk = {};
        for (;;) {
            const ssize_t count = ::read(fd, chunk.data(), chunk.size());
            if (count <= 0 || !reader.feed({chunk.data(), static_cast<std::size_t>(count)})) {
                return;
            }
            while (const auto frame = reader.next()) {
                const auto call = protocol::decode_call(*frame);
                if (!call || !reply_to(fd, *call)) {
                    return;
                }
            }
        }
    }

    bool reply_to(int fd, const protocol::Call& call) {
        calls_.push_back(call);
        if (auto& turns = turns_[call.method]; !turns.empty()) {
            for (const protocol::Reply& reply : turns.front()) {
                static_cast<void>(write_all(fd, protocol::encode(reply), "socket"));
            }
            turns.pop_front();
            return false;
        }
        const auto found = replies_.find(call.method);
        if (found == replies_.end()) {
            return false;
        }
        for (const protocol::Reply& reply : found->second) {
            if (!write_all(fd, protocol::encode(reply), "socket")) {
                return false;
            }
        }
        return true;
    }

    TemporaryTree tree_;
    UniqueFd listener_;
    std::map<std::string, std::vector<protocol::Reply>> replies_;
    std::map<std::string, std::deque<std::vector<protocol::Reply>>> turns_;
    std::vector<protocol::Call> calls_;
    std::thread thread_;
};

/// The program with this service as its daemon.
inline Ran run(const ScriptedServer& server, const std::vector<std::string>& verb) {
    std::vector<std::string> words = {"--host", "unix:" + server.path()};
    words.insert(words.end(), verb.begin(), verb.end());
    return run_stillboot(words);
}

}  // namespace stillboot::test
