// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "daemon/probe/fetch_client.hpp"
#include "daemon/probe/fetch_file.hpp"
#include "daemon/probe/sealed.hpp"
#include "tests/daemon/probe/images.hpp"
#include "tests/daemon/probe/other_helpers.hpp"

using namespace stillboot;
using namespace stillboot::probe;
using stillboot::test::OtherHelpers;
using stillboot::test::TemporaryTree;

namespace {

FetchOrder order_for(const std::string& node, const std::string& path) {
    FetchOrder order;
    order.node = node;
    order.path = path;
    order.max_bytes = std::uint64_t{16} << 20;
    return order;
}

void no_progress(std::uint64_t, std::uint64_t) {}

}  // namespace

TEST_SUITE("probe") {
    TEST_CASE("a local file comes whole, with progress, and can never change again") {
        const TemporaryTree tree;
        const std::string text(3'000'000, 'k');
        tree.file("vmlinuz", text);
        std::uint64_t last = 0;
        const auto fetched =
            fetch(order_for("", (tree.path() / "vmlinuz").string()), [&](std::uint64_t done, std::uint64_t total) {
                CHECK(done > last);
                CHECK(total == text.size());
                last = done;
            });
        REQUIRE(fetched);
        CHECK(last == text.size());
        CHECK(fetched->size_bytes == text.size());
        CHECK(read_sealed(fetched->image.get(), text.size(), "x").value() == text);
        CHECK(::write(fetched->image.get(), "x", 1) == -1);
    }

    TEST_CASE("a file on a device comes whole") {
        if (const std::string reason = test::why_no_mounts(); !reason.empty()) {
            MESSAGE("skipped: " << reason);
            return;
        }
        const TemporaryTree tree;
        const std::string image = test::make_ext4(tree, "disk.img");
        const auto fetched = fetch(order_for(image, "/vmlinuz"));
        REQUIRE(fetched);
        CHECK(read_sealed(fetched->image.get(), 1 << 20, "x").value() == std::string(200'000, 'k'));
        CHECK(fetch(order_for(image, "/none")).error().message().param("path") == "/none");
    }

    TEST_CASE("what cannot be fetched says why") {
        const TemporaryTree tree;
        tree.file("big", "12345");
        FetchOrder small = order_for("", (tree.path() / "big").string());
        small.max_bytes = 4;
        CHECK(fetch(small).error().code() == "base.file_too_large");
        CHECK(fetch(order_for("", (tree.path() / "none").string())).error().code() == "config.file_missing");
        CHECK(fetch(order_for("", tree.path().string())).error().code() == "base.not_a_file");
        FetchOrder url;
        url.url = "http://example.org/vmlinuz";
        CHECK(fetch(url).error().sentence() ==
              "http://example.org/vmlinuz: this build cannot fetch from a network");
    }

    TEST_CASE("an empty file is an empty image, not an error") {
        const TemporaryTree tree;
        tree.file("empty", "");
        const auto fetched = fetch(order_for("", (tree.path() / "empty").string()));
        REQUIRE(fetched);
        CHECK(fetched->size_bytes == 0);
    }

    TEST_CASE("a file that ends before its size says is an error") {
        // sysfs attributes claim a page and hold less.
        const UniqueFd file(::open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC));
        const UniqueFd attribute(::open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC));
        const int fd = attribute ? attribute.get() : file.get();
        const auto copied = copy_to_memfd(fd, "attribute", {1 << 20, 1 << 20}, no_progress);
        REQUIRE_FALSE(copied);
        CHECK(copied.error().code() == "probe.fetched_short");
    }

    TEST_CASE("a file that memory has no room for is refused before it is read") {
        const TemporaryTree tree;
        tree.file("big", "12345");
        const UniqueFd file(::open((tree.path() / "big").c_str(), O_RDONLY | O_CLOEXEC));
        const auto copied = copy_to_memfd(file.get(), "big", {100, 4}, no_progress);
        CHECK(copied.error().sentence() == "big has 5 bytes, and only 4 bytes of memory are free");
        CHECK(available_memory_bytes() > 0);
    }

    TEST_CASE("a fetch that stalls is ended, one that is stopped too, one that crashes is named") {
        FetchOrder order = order_for("/dev/somewhere", "/x");
        {
            const OtherHelpers hanging("exec sleep 1000");
            order.stall_limit = std::chrono::milliseconds(50);
            CHECK(fetch(order).error().code() == "probe.helper_timed_out");
            order.stall_limit = std::chrono::minutes(1);
            std::stop_source stop;
            stop.request_stop();
            CHECK(fetch(order, {}, stop.get_token()).error().code() == "probe.cancelled");
        }
        const OtherHelpers crashing("kill -SEGV $$");
        CHECK(fetch(order).error().sentence() ==
              "stillboot-fetch crashed on /dev/somewhere (SIGSEGV); nothing else is affected");
    }
}
