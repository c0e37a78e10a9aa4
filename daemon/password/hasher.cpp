// SPDX-License-Identifier: Apache-2.0
// Asking the helper, on the loop or without one.
#include "daemon/password/hasher.hpp"

#include <poll.h>
#include <string.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "config/base/process.hpp"
#include "config/base/utf8.hpp"
#include "daemon/loop/deadline.hpp"
#include "daemon/probe/helper.hpp"
#include "daemon/probe/wire.hpp"

namespace stillboot::password {
namespace {

namespace asio = boost::asio;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds hash_deadline{8'000};  // costs that an administrator chose may be high
constexpr std::chrono::milliseconds end_deadline{1'000};
constexpr const char* work = "a password";  // stands on the helper's command line

Error failed(std::string_view reason) {
    return Error("daemon.password_failed", {{"reason", reason}});
}

// A helper that has its order.
Result<probe::Helper> begin(std::string_view hash, std::string password) {
    auto helper = probe::start_helper(password_program, work);
    if (helper) {
        std::string order = order_text(hash, password);
        // A new socket has room for it; a helper that has gone already is found by its end.
        static_cast<void>(probe::send_packet(helper->socket.get(), order));
        wipe(order);
    }
    wipe(password);
    if (!helper) {
        return why_none() ? *why_none() : failed(helper.error().sentence());
    }
    return helper;
}

// What it has said, once its socket can be read. It is gone afterwards.
Result<std::string> finish(const probe::Helper& helper, int socket) {
    auto packet = probe::receive_packet(socket);
    probe::kill_helper(helper);
    static_cast<void>(wait_for_exit(helper.pidfd.get(), end_deadline));
    const auto crash = probe::reap_helper(helper, password_program, work);
    if (packet && *packet) {
        return std::move((*packet)->text);
    }
    return failed(crash ? crash->sentence() : "it did not answer in time");
}

struct Job {
    Job(probe::Helper running, const asio::any_io_executor& executor, OnChecked tells)
        : helper(std::move(running)), readable(executor, helper.socket.release()), done(std::move(tells)) {}
    probe::Helper helper;
    asio::posix::stream_descriptor readable;
    OnChecked done;
};

asio::awaitable<void> wait_for_answer(std::shared_ptr<Job> job, asio::any_io_executor executor) {
    const Deadline deadline(executor, hash_deadline, [job] { probe::kill_helper(job->helper); });
    auto [failure] = co_await job->readable.async_wait(asio::posix::stream_descriptor::wait_read, use_result);
    static_cast<void>(failure);
    const auto answer = finish(job->helper, job->readable.native_handle());
    const bool told = answer && (*answer == right || *answer == wrong);
    const Error unclear = answer ? failed("its answer makes no sense") : answer.error();
    job->done(told ? Result<bool>(*answer == right) : Result<bool>(unclear));
}

}  // namespace

std::optional<Error> why_none() {
    const auto found = probe::find_helper(password_program);
    return found ? std::nullopt
                 : std::optional(Error("daemon.no_passwords", {{"reason", found.error().sentence()}}));
}

Result<void> check_text(std::string_view text) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    // The socket carries nothing but UTF-8: another text could be set, and never given.
    if (text.empty() || text.size() > max_password_bytes || std::any_of(text.begin(), text.end(), is_control) ||
        valid_utf8(text) != text) {
        return Error("daemon.bad_password", {{"bytes", std::uint64_t{max_password_bytes}}});
    }
    return {};
}

void wipe(std::string& text) {
    ::explicit_bzero(text.data(), text.size());
    text.clear();
}

void check(const Spawner& spawner, const std::string& hash, std::string password, OnChecked done) {
    auto helper = begin(hash, std::move(password));
    if (!helper) {
        return done(helper.error());
    }
    const auto job = std::make_shared<Job>(std::move(*helper), spawner.executor(), std::move(done));
    spawner.spawn("checking a password", wait_for_answer(job, spawner.executor()));
}

void check_hash(const Spawner& spawner, const std::string& hash, OnChecked done) {
    check(spawner, hash, "", std::move(done));
}

Result<std::string> make_hash(std::string password) {
    auto helper = begin("", std::move(password));
    if (!helper) {
        return helper.error();
    }
    struct pollfd readable = {helper->socket.get(), POLLIN, 0};
    static_cast<void>(::poll(&readable, 1, static_cast<int>(hash_deadline.count())));
    auto hash = finish(*helper, helper->socket.get());
    if (hash && !hash->starts_with('$')) {
        return failed("its answer makes no sense");
    }
    return hash;
}

}  // namespace stillboot::password
