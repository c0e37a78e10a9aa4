// SPDX-License-Identifier: Apache-2.0
#include "daemon/probe/runner.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "daemon/probe/fetch_client.hpp"
#include "tests/daemon/probe/images.hpp"

using namespace stillboot;
using namespace stillboot::probe;
using stillboot::test::TemporaryTree;
namespace asio = boost::asio;

namespace {

asio::awaitable<Answer> nothing_there(Question) {
    co_return Answer(Message("config.device_missing", {{"kind", "uuid"}, {"value", "x"}}));
}

asio::awaitable<void> keep(asio::awaitable<Result<ScanResult>> scanning, std::optional<Result<ScanResult>>* kept) {
    auto result = co_await std::move(scanning);
    kept->emplace(std::move(result));
}

void rethrow(std::exception_ptr failure) {
    if (failure) {
        std::rethrow_exception(failure);
    }
}

Result<ScanResult> scan(const std::string& node) {
    asio::io_context loop;
    Runner runner(loop.get_executor(), RunnerSettings());
    DeviceId device;
    device.id = "test-disk";
    device.node = node;
    std::optional<Result<ScanResult>> result;
    asio::co_spawn(loop, keep(runner.scan(device, nothing_there), &result), rethrow);
    loop.run();
    return std::move(result.value());
}

}  // namespace

TEST_SUITE("probe") {
    TEST_CASE("an ext4 with an entry that only root may read yields its option") {
        if (const std::string reason = test::why_no_mounts(); !reason.empty()) {
            MESSAGE("skipped: " << reason);
            return;
        }
        const TemporaryTree tree;
        const auto result = scan(test::make_ext4(tree, "disk.img"));
        INFO((result ? std::string() : result.error().sentence()));
        REQUIRE(result);
        const auto* options = std::get_if<std::vector<BootOption>>(&result->finding);
        REQUIRE(options != nullptr);
        REQUIRE(options->size() == 1);
        CHECK((*options)[0].title == "One");
        CHECK((*options)[0].device_id == "test-disk");
    }
}
