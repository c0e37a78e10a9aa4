// SPDX-License-Identifier: Apache-2.0
#include "daemon/probe/runner.hpp"

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fstream>
#include <iterator>
#include <set>

#include "daemon/probe/scan_client.hpp"
#include "daemon/probe/sealed.hpp"
#include "tests/daemon/probe/images.hpp"
#include "tests/daemon/probe/other_helpers.hpp"

using namespace stillboot;
using namespace stillboot::probe;
using stillboot::test::OtherHelpers;
using stillboot::test::TemporaryTree;
namespace asio = boost::asio;

namespace {

using Handler = Runner::QuestionHandler;

asio::awaitable<Answer> nothing_there(Question) {
    co_return Answer(Message("config.device_missing", {{"kind", "uuid"}, {"value", "x"}}));
}

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> working, std::optional<T>* kept) {
    auto result = co_await std::move(working);
    kept->emplace(std::move(result));
}

void rethrow(std::exception_ptr failure) {
    if (failure) {
        std::rethrow_exception(failure);
    }
}

DeviceId device_at(const std::string& node) {
    DeviceId device;
    device.id = "test-disk";
    device.node = node;
    return device;
}

RunnerSettings quick() {
    RunnerSettings settings;
    settings.scan_deadline = std::chrono::milliseconds(200);
    settings.ask_deadline = std::chrono::milliseconds(200);
    return settings;
}

Question about(Question::Kind kind, const std::string& path, std::uint64_t max_bytes = 1 << 20) {
    return Question(kind, DeviceRef{DeviceRef::Kind::uuid, "x"}, path, max_bytes);
}

// A runner and its loop, on which any number of scans and questions are started, each with a place for its end.
struct Bench {
    explicit Bench(RunnerSettings settings = {}) : runner(loop.get_executor(), settings) {}

    void scan(const std::string& node, std::optional<Result<ScanResult>>* result,
              Handler handler = nothing_there) {
        asio::co_spawn(loop, keep(runner.scan(device_at(node), named, std::move(handler)), result), rethrow);
    }
    void ask(const std::string& node, Question question, std::optional<Answer>* answer) {
        asio::co_spawn(loop, keep(runner.ask(node, std::move(question)), answer), rethrow);
    }
    void run() {
        loop.restart();
        loop.run();
    }

    asio::io_context loop;
    Runner runner;
    std::vector<std::string> named;
};

Result<ScanResult> scan(const std::string& node) {
    Bench bench;
    std::optional<Result<ScanResult>> result;
    bench.scan(node, &result);
    bench.run();
    return std::move(result.value());
}

Answer ask(const std::string& node, Question question) {
    Bench bench;
    std::optional<Answer> answer;
    bench.ask(node, std::move(question), &answer);
    bench.run();
    return std::move(answer.value());
}

// The codes of a scan and a question, one right after the other, with no chance between them for a process to end.
asio::awaitable<void> scan_and_ask(Runner* runner, std::string node, std::vector<std::string>* codes) {
    auto scanning = runner->scan(device_at(node), {}, nothing_there);
    auto scanned = co_await std::move(scanning);
    codes->push_back(scanned.error().code());
    auto asking = runner->ask(node, about(Question::Kind::kind, "/"));
    auto answer = co_await std::move(asking);
    codes->push_back(answer.error->code());
}

bool skipped() {
    const std::string reason = test::why_no_mounts();
    if (!reason.empty()) {
        MESSAGE("skipped: " << reason);
    }
    return !reason.empty();
}

std::string text_of(const UniqueFd& fd) {
    return read_sealed(fd.get(), 1 << 20, "answer").value();
}

// The processes that this one has started and not reaped.
std::set<int> children() {
    std::ifstream list("/proc/thread-self/children");
    return {std::istream_iterator<int>(list), {}};
}

}  // namespace

TEST_SUITE("probe") {
    TEST_CASE("an ext4 with an entry that only root may read yields its option, and is not changed") {
        if (skipped()) {
            return;
        }
        const TemporaryTree tree;
        const std::string image = test::make_ext4(tree, "disk.img");
        REQUIRE(test::run({"debugfs", "-w", "-R", "feature needs_recovery", image}));
        const auto before = tree.root().read_file("disk.img", std::size_t{64} << 20);
        const auto result = scan(image);
        REQUIRE(result);
        const auto* options = std::get_if<std::vector<BootOption>>(&result->finding);
        REQUIRE(options != nullptr);
        REQUIRE(options->size() == 1);
        CHECK((*options)[0].title == "One");
        CHECK((*options)[0].device_id == "test-disk");
        REQUIRE_FALSE(result->diagnostics.empty());
        CHECK(
            result->diagnostics.back().text() ==
            "warning: this ext4 was not cleanly unmounted: its journal is not replayed, and what is shown may be "
            "older than what was last written");
        CHECK(tree.root().read_file("disk.img", std::size_t{64} << 20).value() == before.value());
    }

    TEST_CASE("a file that is named to the scan is read by the probe, as confined as the others") {
        if (skipped()) {
            return;
        }
        const TemporaryTree tree;
        const std::string image = test::make_ext4(tree, "disk.img");
        tree.file("mine.cfg", "menuentry Mine {\n linux /vmlinuz\n}\n");
        const std::string file = (tree.path() / "mine.cfg").string();
        REQUIRE(test::run({"debugfs", "-w", "-R", "write " + file + " mine.cfg", image}));
        Bench bench;
        bench.named = {"/mine.cfg", "/../../etc/hostname"};
        std::optional<Result<ScanResult>> result;
        bench.scan(image, &result);
        bench.run();
        REQUIRE(result->has_value());
        const auto& named = result->value().named;
        REQUIRE(named.size() == 2);
        CHECK(named[0].options == std::vector<std::string>{"test-disk/grub/mine"});
        CHECK(named[1].reason.value().code() == "config.file_missing");
    }

    TEST_CASE("a result is told before its probe has ended, and idle means that it has") {
        if (skipped()) {
            return;
        }
        const TemporaryTree tree;
        const std::string image = test::make_ext4(tree, "disk.img");
        asio::io_context loop;
        Runner runner(loop.get_executor(), RunnerSettings());
        std::optional<Result<ScanResult>> result;
        bool idle_at_result = true;
        asio::co_spawn(loop, keep(runner.scan(device_at(image), {}, nothing_there), &result),
                       [&](std::exception_ptr) { idle_at_result = runner.is_idle(); });
        loop.run();
        CHECK(result->has_value());
        CHECK_FALSE(idle_at_result);
        CHECK(runner.is_idle());
        CHECK(children().empty());
    }

    TEST_CASE("a scan without an event loop finds the same, and hears of other devices from its caller") {
        if (skipped()) {
            return;
        }
        const TemporaryTree tree;
        const std::string image = test::make_ext4(tree, "disk.img");
        const auto looped = scan(image);
        const auto direct = probe::scan(device_at(image));
        REQUIRE(looped);
        REQUIRE(direct);
        CHECK(direct->diagnostics == looped->diagnostics);
        CHECK(std::get<std::vector<BootOption>>(direct->finding) ==
              std::get<std::vector<BootOption>>(looped->finding));
        CHECK(probe::scan(device_at("/dev/none")).error().code() == "probe.device_unreadable");
    }

    TEST_CASE("what is no file system is nothing, with the reason") {
        if (skipped()) {
            return;
        }
        const TemporaryTree tree;
        const auto result = scan(test::make_empty_image(tree, "disk.img", 1 << 20));
        REQUIRE(result);
        CHECK(std::get<Nothing>(result->finding).reason.sentence() == "holds nothing that is known");
    }

    TEST_CASE("a damaged file system is an error with the kernel's words") {
        if (skipped()) {
            return;
        }
        const TemporaryTree tree;
        const std::string image = test::make_ext4(tree, "disk.img");
        REQUIRE(
            test::run({"sh", "-c", "dd if=/dev/urandom of=" + image + " bs=1024 seek=2 count=2000 conv=notrunc"}));
        const auto result = scan(image);
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == "probe.mount_failed");
        CHECK(result.error().message().param("type") == "ext4");
    }

    TEST_CASE("a damaged directory is named, not taken for one that is not there") {
        if (skipped()) {
            return;
        }
        const TemporaryTree tree;
        const std::string image = test::make_ext4(tree, "disk.img");
        // The header of the directory's extents: it cannot even be opened.
        REQUIRE(test::run({"debugfs", "-w", "-R", "set_inode_field /loader/entries block[0] 999999999", image}));
        const auto result = scan(image);
        REQUIRE(result);
        REQUIRE(result->diagnostics.size() == 1);
        CHECK(result->diagnostics[0].text() ==
              "/loader/entries: error: /loader/entries cannot be read: EUCLEAN (Structure needs cleaning)");
    }

    TEST_CASE("a device that is not there says so") {
        const auto result = scan("/dev/no-such-device");
        REQUIRE_FALSE(result);
        CHECK(result.error().sentence() ==
              "/dev/no-such-device cannot be read: ENOENT (No such file or directory)");
    }

    TEST_CASE("a device's files are answered by kind, size, list and content") {
        if (skipped()) {
            return;
        }
        const TemporaryTree tree;
        const std::string image = test::make_ext4(tree, "disk.img");
        CHECK(ask(image, about(Question::Kind::kind, "/vmlinuz")).kind == FileSource::Kind::file);
        CHECK(ask(image, about(Question::Kind::kind, "/loader")).kind == FileSource::Kind::directory);
        CHECK(ask(image, about(Question::Kind::kind, "/none")).kind == FileSource::Kind::missing);
        CHECK(ask(image, about(Question::Kind::size, "/vmlinuz")).size == 200'000);
        CHECK(ask(image, about(Question::Kind::list, "/")).names ==
              std::vector<std::string>{"loader", "lost+found", "vmlinuz"});
        CHECK(text_of(ask(image, about(Question::Kind::read, "/loader/entries/one.conf")).content) ==
              test::one_entry);
        CHECK(ask(image, about(Question::Kind::read, "/none")).error->code() == "config.file_missing");
        CHECK(ask(image, about(Question::Kind::read, "/vmlinuz", 1000)).error->code() == "base.file_too_large");
    }

    TEST_CASE("a helper that crashes costs its device and is named with its signal") {
        const OtherHelpers crashing("kill -SEGV $$");
        const auto result = scan("/dev/somewhere");
        REQUIRE_FALSE(result);
        CHECK(result.error().sentence() ==
              "stillboot-probe crashed on /dev/somewhere (SIGSEGV); nothing else is affected");
        const Answer answer = ask("/dev/somewhere", about(Question::Kind::kind, "/"));
        CHECK(answer.error->sentence() ==
              "stillboot-fetch crashed on /dev/somewhere (SIGSEGV); nothing else is affected");
    }

    TEST_CASE("a helper that is killed from outside is named") {
        const OtherHelpers killed("kill -KILL $$");
        CHECK(scan("/dev/somewhere").error().message().param("signal") == "SIGKILL");
    }

    TEST_CASE("a helper that ends without a word is named with its status") {
        const OtherHelpers ending("exit 7");
        CHECK(scan("/dev/somewhere").error().sentence() ==
              "stillboot-probe failed on /dev/somewhere with status 7");
        const OtherHelpers silent("exit 0");
        CHECK(scan("/dev/somewhere").error().code() == "probe.helper_broke_protocol");
    }

    TEST_CASE("a helper that hangs is ended at its deadline, others run on beside it") {
        const OtherHelpers hanging("case $1 in *slow*) exec sleep 1000;; *) kill -ABRT $$;; esac");
        Bench bench;
        bench.runner.set_scan_deadline(std::chrono::seconds(2));  // as while the daemon runs
        std::optional<Result<ScanResult>> slow;
        std::optional<Result<ScanResult>> other;
        bench.scan("/dev/slow", &slow);
        bench.scan("/dev/other", &other);
        bench.run();
        CHECK(slow->error().sentence() == "stillboot-probe was not done with /dev/slow after 2 s and was ended");
        CHECK(other->error().message().param("signal") == "SIGABRT");
        CHECK(bench.runner.stuck().empty());
    }

    TEST_CASE(
        "a device is not looked at again while a helper is stuck on it, and who waits is told when it is free") {
        const OtherHelpers hanging("exec sleep 1000");
        RunnerSettings settings = quick();
        settings.end_deadline =
            std::chrono::milliseconds(0);  // whatever is killed counts as stuck until it is reaped
        Bench bench(settings);
        std::vector<std::string> codes;
        std::vector<std::string> freed;
        bench.runner.on_freed([&](const std::string& node) {
            freed.push_back(node);
            CHECK(bench.runner.stuck().empty());
        });
        asio::co_spawn(bench.loop, scan_and_ask(&bench.runner, "/dev/slow", &codes), rethrow);
        bench.run();
        CHECK(codes == std::vector<std::string>{"probe.helper_stuck", "probe.still_stuck"});
        CHECK(freed == std::vector<std::string>{"/dev/slow"});
        std::optional<Result<ScanResult>> again;
        bench.scan("/dev/slow", &again);
        bench.run();
        CHECK(again->error().code() == "probe.helper_stuck");
    }

    TEST_CASE("prepared probes wait, are taken by the next scans, and end when they are not wanted") {
        const OtherHelpers crashing_at_an_order("head -c 1 <&3; kill -SEGV $$");
        asio::io_context loop;
        Runner runner(loop.get_executor(), RunnerSettings());
        runner.prepare(3);
        const auto waiting = children();
        CHECK(waiting.size() == 3);
        std::optional<Result<ScanResult>> result;
        asio::co_spawn(loop, keep(runner.scan(device_at("/dev/somewhere"), {}, nothing_there), &result), rethrow);
        loop.run();
        CHECK(result->error().message().param("signal") == "SIGSEGV");
        CHECK(children().size() == 2);
        for (const int child : children()) {
            CHECK(waiting.contains(child));
        }
        runner.prepare(1);
        CHECK(children().size() == 1);
        runner.stop();
        CHECK(children().empty());
        CHECK(runner.is_idle());
    }

    TEST_CASE("stop ends what runs, and nothing starts after it") {
        const OtherHelpers hanging("exec sleep 1000");
        Bench bench;
        std::optional<Result<ScanResult>> result;
        std::optional<Answer> answer;
        bench.scan("/dev/slow", &result);
        bench.ask("/dev/slow", about(Question::Kind::kind, "/"), &answer);
        asio::post(bench.loop, [&] { bench.runner.stop(); });
        bench.run();
        CHECK(result->error().code() == "probe.cancelled");
        CHECK(answer->error->code() == "probe.cancelled");
        std::optional<Result<ScanResult>> late;
        bench.scan("/dev/slow", &late);
        bench.run();
        CHECK(late->error().code() == "probe.cancelled");
    }

    TEST_CASE("a scan that is cancelled by its caller ends its process") {
        const OtherHelpers hanging("exec sleep 1000");
        Bench bench;
        asio::cancellation_signal stop;
        std::optional<Result<ScanResult>> result;
        asio::co_spawn(bench.loop, keep(bench.runner.scan(device_at("/dev/slow"), {}, nothing_there), &result),
                       asio::bind_cancellation_slot(stop.slot(), rethrow));
        asio::post(bench.loop, [&] { stop.emit(asio::cancellation_type::terminal); });
        bench.run();
        CHECK(result->error().code() == "probe.cancelled");
    }

    TEST_CASE("a missing helper is named") {
        const OtherHelpers none("");
        const TemporaryTree empty;
        ::setenv("STILLBOOT_LIBEXEC", empty.path().c_str(), 1);
        CHECK(scan("/dev/somewhere").error().code() == "probe.helper_missing");
    }
}
