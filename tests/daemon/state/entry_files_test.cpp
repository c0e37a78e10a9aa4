// SPDX-License-Identifier: Apache-2.0
#include "daemon/state/entry_files.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <atomic>
#include <future>
#include <memory>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::state;
using namespace std::chrono_literals;
using stillboot::test::TemporaryTree;

namespace {

Result<void> nothing(const Root&) {
    FAIL("nothing was mounted");
    return {};
}

}  // namespace

TEST_SUITE("state") {
    TEST_CASE("an entry's file gets its name once, and never that of another") {
        const TemporaryTree tree;
        tree.file("loader/entries/a+3.conf", "a");
        tree.file("loader/entries/b.conf", "b");
        const Root root = tree.root();
        REQUIRE(rename_entry(root, "/loader/entries", "a+3.conf", "a+2-1.conf"));
        REQUIRE(rename_entry(root, "/loader/entries", "a+3.conf", "a+2-1.conf"));
        CHECK(root.list("loader/entries").value() == std::vector<std::string>{"a+2-1.conf", "b.conf"});
        CHECK(rename_entry(root, "/loader/entries", "a+2-1.conf", "b.conf").error().error_number() == EEXIST);
        CHECK(rename_entry(root, "/loader/entries", "gone.conf", "x.conf").error().error_number() == ENOENT);
        CHECK(root.list("loader/entries").value() == std::vector<std::string>{"a+2-1.conf", "b.conf"});
    }

    TEST_CASE("types that are not written to are refused, and what cannot be mounted says so") {
        CHECK(is_writable_type("vfat"));
        CHECK(is_writable_type("ext3"));
        CHECK_FALSE(is_writable_type("iso9660"));
        CHECK_FALSE(is_writable_type(""));
        CHECK(on_writable("/dev/sr0", "iso9660", nothing).error().sentence() ==
              "file systems of the type iso9660 are not written to");
        const TemporaryTree tree;
        const std::string none = (tree.path() / "no-such-device").string();
        for (const char* type : {"vfat", ""}) {
            const auto failed = on_writable(none, type, nothing);
            REQUIRE_FALSE(failed);
            CHECK(failed.error().code() == "state.entry_mount_failed");
            CHECK(failed.error().message().param("device") == none);
        }
    }

    TEST_CASE("a device that does not answer is given up, and nothing is done on it when it answers at last") {
        const TemporaryTree tree;
        std::promise<void> answers;
        const auto acted = std::make_shared<std::atomic<bool>>(false);
        const auto ended = std::make_shared<std::promise<void>>();
        std::shared_ptr<void> thread_lives(nullptr, [ended](void*) { ended->set_value(); });
        const auto failed = on_writable(
            "/dev/sda1", "vfat",
            [acted](const Root&) -> Result<void> {
                *acted = true;
                return {};
            },
            20ms,
            [answer = answers.get_future().share(), path = tree.path().string(), lives = std::move(thread_lives)](
                const std::string&, std::string_view) {
                answer.wait();
                return UniqueFd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
            });
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code() == "state.entry_hangs");
        answers.set_value();
        REQUIRE(ended->get_future().wait_for(60s) == std::future_status::ready);
        CHECK_FALSE(*acted);
    }
}
