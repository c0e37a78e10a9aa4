// SPDX-License-Identifier: Apache-2.0
#include "quiesce/ports.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>

#include "quiesce/state_store.hpp"
#include "tests/temporary_tree.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::test::TemporaryTree;

namespace {

/// A FIFO that is full: a write to it waits until somebody reads.
UniqueFd full_fifo(const TemporaryTree& tree, const std::string& name) {
    const auto path = tree.path() / name;
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    const std::array<char, 4096> block = {};
    while (::write(fd.get(), block.data(), block.size()) > 0) {
    }
    return fd;
}

void drain(int fd) {
    std::array<char, 65536> chunk;
    while (::read(fd, chunk.data(), chunk.size()) > 0) {
    }
}

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("a forked worker writes exactly the text") {
        TemporaryTree tree;
        tree.file("unbind", "");
        const Root root = tree.root();
        ForkedWriter writer;
        CHECK(writer.write(root, "/unbind", "i6300ESB timer", 10s).done());
        CHECK(root.read_file("/unbind", 100).value() == "i6300ESB timer");
    }

    TEST_CASE("a worker's errno comes back, and so does that of the open") {
        TemporaryTree tree;
        const Root root = tree.root();
        ForkedWriter writer;
        CHECK(writer.write(root, "/none", "x", 10s).error_number == ENOENT);
        const Root host = Root::open("/").value();
        const auto outcome = writer.write(host, "/dev/full", "x", 10s);
        CHECK(outcome.end == WriteOutcome::End::failed);
        CHECK(outcome.error_number == ENOSPC);
    }

    TEST_CASE("a worker that hangs is left behind at its deadline, holds none of our descriptors, and is reaped") {
        TemporaryTree tree;
        const Root root = tree.root();
        const UniqueFd fifo = full_fifo(tree, "unbind");
        std::array<int, 2> ends = {-1, -1};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        const UniqueFd reader(ends[0]);
        UniqueFd ours(ends[1]);
        ForkedWriter writer;
        const auto outcome = writer.write(root, "/unbind", "x", 20ms);
        CHECK(outcome.hung());
        const auto left = writer.left_behind();
        REQUIRE(left.size() == 1);

        ours.reset();  // the worker must not keep our end of the pipe open
        struct pollfd end_of_file = {reader.get(), POLLIN, 0};
        CHECK(::poll(&end_of_file, 1, 10'000) == 1);
        CHECK((end_of_file.revents & POLLHUP) != 0);

        const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, left.front(), 0)));
        drain(fifo.get());
        CHECK(wait_for_exit(pidfd.get(), 10s));
        CHECK(writer.left_behind().empty());
    }

    TEST_CASE("a disk is read, an empty one and a missing one are not") {
        TemporaryTree tree;
        tree.file("dev/sda", std::string(8192, 'x'));
        tree.file("dev/empty", "");
        tree.file("dev/cciss/c0d0", "x");
        const Root root = tree.root();
        ForkedDiskReader reader;
        CHECK(reader.read_first_sector(root, "sda", 10s));
        CHECK(reader.read_first_sector(root, "cciss!c0d0", 10s));
        CHECK(reader.read_first_sector(root, "empty", 10s).error().error_number() == ENODATA);
        CHECK(reader.read_first_sector(root, "none", 10s).error().sentence() ==
              "the disk none cannot be read: ENOENT (No such file or directory)");
    }

    TEST_CASE("an interface that does not exist is named") {
        SystemNetworkControl control;
        CHECK(control.set_up("no-such-if").error().message().param("interface") == "no-such-if");
    }

    TEST_CASE("a machine without udev has no queue to stop") {
        TemporaryTree tree;
        const Root root = tree.root();
        SystemProcessRunner runner;
        UdevQueue queue(root, runner);
        CHECK(queue.stop());
        CHECK(queue.start());
    }

    TEST_CASE("the journal writes a line to the kernel's log, to the persistent log and to a quiet console") {
        TemporaryTree tree;
        tree.file("dev/kmsg", "");
        tree.file("dev/pmsg0", "");
        tree.file("dev/console", "");
        tree.file("proc/sys/kernel/printk", "4\t4\t1\t7\n");
        const Root root = tree.root();
        {
            KernelJournal journal(root);
            journal.line(Message("quiesce.journal_stop", {{"device", "a\nb"}}));
            journal.keep("for the next kernel");
        }
        const std::string line = "stillboot: stop the bus mastering of a?b, which has no driver";
        CHECK(root.read_file("/dev/kmsg", 1000).value() == "<6>" + line + "\n");
        CHECK(root.read_file("/dev/pmsg0", 1000).value() == line + "\nfor the next kernel\n");
        CHECK(root.read_file("/dev/console", 1000).value() == line + "\r\n");
    }

    TEST_CASE("a console that shows the kernel's log is not written twice") {
        TemporaryTree tree;
        tree.file("dev/kmsg", "");
        tree.file("dev/console", "");
        tree.file("proc/sys/kernel/printk", "7\t4\t1\t7\n");
        const Root root = tree.root();
        KernelJournal(root).line(Message("quiesce.journal_undo"));
        CHECK(root.read_file("/dev/console", 1000).value().empty());
    }

    TEST_CASE("no line is lost: two hundred of them arrive, long ones cut") {
        TemporaryTree tree;
        tree.file("dev/kmsg", "");
        const Root root = tree.root();
        KernelJournal journal(root);
        for (int i = 0; i < 200; ++i) {
            journal.line(Message("quiesce.journal_stop", {{"device", std::string(2000, 'd')}}));
        }
        const std::string text = root.read_file("/dev/kmsg", 1 << 20).value();
        CHECK(std::count(text.begin(), text.end(), '\n') == 200);
        CHECK(text.find('\n') < 1024);
    }

    TEST_CASE("the record in /run is replaced whole, and is gone when cleared") {
        TemporaryTree tree;
        const Root root = tree.root();
        tree.directory("run");
        RunStateStore store(root);
        CHECK_FALSE(store.read().value().has_value());
        CHECK(store.write("{\"a\":1}"));
        CHECK(store.write("{}"));
        CHECK(store.read().value() == "{}");
        CHECK((root.stat("/run/stillboot/handover.json")->st_mode & 0777) == 0600);
        CHECK(store.clear());
        CHECK(store.clear());
        CHECK_FALSE(store.read().value().has_value());
        tree.file("run/stillboot/handover.json", std::string(2 * 1024 * 1024, ' '));
        CHECK(store.read().error().code() == "base.file_too_large");
    }
}
