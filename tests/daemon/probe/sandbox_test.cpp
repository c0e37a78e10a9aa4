// SPDX-License-Identifier: Apache-2.0
// Runs inside the confinement of a scan and tries what it must not be able to do.
#include <doctest/doctest.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <functional>

#include "config/base/process.hpp"
#include "daemon/probe/confined_view.hpp"
#include "daemon/probe/sandbox.hpp"
#include "tests/daemon/probe/images.hpp"

using namespace stillboot;
using namespace stillboot::probe;
using stillboot::test::TemporaryTree;

namespace {

constexpr int not_confined = 250;

/// Runs an act in a child and returns its errno, 0 where it succeeded, or 1000 and the signal that ended it.
int in_child(const std::function<int()>& act) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(act());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int errno_of(long returned) {
    return returned < 0 ? errno : 0;
}

/// The same inside a scan's confinement of this image, less the layers that are switched off.
int confined(const std::string& image, const Layers& layers, const std::function<int(const Root&)>& act) {
    return in_child([&] {
        auto look = look_into(image, Limits(), layers);
        const auto* view = look ? std::get_if<View>(&*look) : nullptr;
        return view == nullptr ? not_confined : act(view->root);
    });
}

Layers without_calls() {
    Layers layers;
    layers.system_calls = false;
    return layers;
}

Layers without_calls_and_capabilities() {
    Layers layers = without_calls();
    layers.capabilities = false;
    return layers;
}

Layers without_root() {
    Layers layers;
    layers.root = false;
    return layers;
}

int try_mount(const Root&) {
    const auto context = ::syscall(SYS_fsopen, "tmpfs", 0);
    if (context < 0) {
        return errno;
    }
    if (::syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
        return errno;
    }
    return errno_of(::syscall(SYS_fsmount, context, 0, 0));
}

int try_classic_mount(const Root&) {
    return errno_of(::syscall(SYS_mount, "none", "/lost+found", "tmpfs", 0, nullptr));
}

int try_socket(const Root&) {
    return errno_of(::socket(AF_INET, SOCK_STREAM, 0));
}

int try_ptrace(const Root&) {
    return errno_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
}

int try_signal(const Root&) {
    return errno_of(::kill(::getppid(), 0));
}

int try_fork(const Root&) {
    const auto child = ::syscall(SYS_fork);
    if (child == 0) {
        ::_exit(0);
    }
    return errno_of(child);
}

int try_exec(const Root&) {
    return errno_of(::syscall(SYS_execve, "/vmlinuz", nullptr, nullptr));
}

int try_executable_memory(const Root&) {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
                                                                                                          : 0;
}

int try_write(const Root& root) {
    auto file = root.open_file("/vmlinuz", O_RDWR);
    return file ? 0 : file.error().error_number();
}

int try_create(const Root& root) {
    auto file = root.open_file("/new", O_WRONLY | O_CREAT, 0600);
    return file ? 0 : file.error().error_number();
}

/// As an intruder would: by a system call of its own, not through Root.
int open_anywhere(const std::string& path) {
    struct open_how how = {};
    how.flags = O_RDONLY;
    return errno_of(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
}

struct Fixture {
    Fixture() : image(reason.empty() ? test::make_ext4(tree, "disk.img") : std::string()) {
        tree.file("outside", "not yours");
    }
    [[nodiscard]] bool usable() const {
        if (!reason.empty()) {
            MESSAGE("skipped: " << reason);
        }
        return reason.empty();
    }
    [[nodiscard]] std::string outside() const { return (tree.path() / "outside").string(); }

    std::string reason = test::why_no_mounts();
    TemporaryTree tree;
    std::string image;
};

}  // namespace

TEST_SUITE("probe") {
    TEST_CASE_FIXTURE(Fixture,
                      "confined: a mount is refused by the filter, behind it by the lack of capabilities") {
        if (!usable()) {
            return;
        }
        CHECK(confined(image, {}, try_mount) == ENOSYS);
        CHECK(confined(image, {}, try_classic_mount) == ENOSYS);
        CHECK(confined(image, without_calls(), try_mount) == EPERM);
        CHECK(confined(image, without_calls_and_capabilities(), try_mount) == 0);
    }

    TEST_CASE_FIXTURE(Fixture, "confined: sockets, ptrace, signals, fork and exec are refused by the filter") {
        if (!usable()) {
            return;
        }
        CHECK(confined(image, {}, try_socket) == ENOSYS);
        CHECK(confined(image, without_calls(), try_socket) == 0);
        CHECK(confined(image, {}, try_ptrace) == ENOSYS);
        CHECK(confined(image, without_calls(), try_ptrace) == 0);
        CHECK(confined(image, {}, try_signal) == ENOSYS);
        CHECK(confined(image, without_calls(), try_signal) == 0);
        CHECK(confined(image, {}, try_fork) == ENOSYS);
        CHECK(confined(image, without_calls(), try_fork) == 0);
        CHECK(confined(image, {}, try_executable_memory) == ENOSYS);
        CHECK(confined(image, without_calls(), try_executable_memory) == 0);
    }

    TEST_CASE_FIXTURE(Fixture, "confined: exec is refused by the filter, behind it by the mount") {
        if (!usable()) {
            return;
        }
        CHECK(confined(image, {}, try_exec) == ENOSYS);
        CHECK(confined(image, without_calls(), try_exec) == EACCES);  // noexec
    }

    TEST_CASE_FIXTURE(Fixture, "confined: a file outside is not there, for the root is the file system") {
        if (!usable()) {
            return;
        }
        const auto open_outside = [&](const Root&) { return open_anywhere(outside()); };
        const auto climb = [&](const Root&) { return open_anywhere("/../../../../.." + outside()); };
        CHECK(confined(image, {}, open_outside) == ENOENT);
        CHECK(confined(image, {}, climb) == ENOENT);
        CHECK(confined(image, without_root(), open_outside) == 0);
        CHECK(confined(image, without_root(), climb) == 0);
    }

    TEST_CASE_FIXTURE(Fixture, "confined: a write is refused by the mount") {
        if (!usable()) {
            return;
        }
        CHECK(confined(image, {}, try_write) == EROFS);
        CHECK(confined(image, {}, try_create) == EROFS);
    }

    TEST_CASE_FIXTURE(Fixture, "a write is refused by the mount even where the device would take it") {
        if (!usable()) {
            return;
        }
        const std::string script = "set -e; loop=$(losetup -f --show " + image + "); mkdir " +
                                   tree.path().string() + "/m; mount $loop " + tree.path().string() +
                                   "/m; echo x > " + tree.path().string() + "/m/new; umount " +
                                   tree.path().string() + "/m; losetup -d $loop";
        CHECK(test::run({"unshare", "-m", "sh", "-c", script}));  // both layers off: it is written
        CHECK(in_child([&] {
                  SystemProcessRunner runner;
                  Command attach;
                  attach.argv = {"losetup", "-f", "--show", image};
                  auto loop = runner.run(attach);
                  const std::string node = loop->output.substr(0, loop->output.find('\n'));
                  auto view = mount_detached(node, "ext4");
                  const int refused = view ? try_write(Root(std::move(*view))) : not_confined;
                  (void)test::run({"losetup", "-d", node});
                  return refused;
              }) == EROFS);
    }

    TEST_CASE_FIXTURE(Fixture, "a write is refused by the view's device even where it is mounted for writing") {
        if (!usable()) {
            return;
        }
        const UniqueFd device(::open(image.c_str(), O_RDONLY | O_CLOEXEC));
        const auto view = make_loop_view(device.get());
        REQUIRE(view);
        const auto before = tree.root().read_file("disk.img", std::size_t{64} << 20);
        CHECK(test::run({"unshare", "-m", "sh", "-c", "! mount -w -t ext4 " + view->node + " /mnt"}));
        const UniqueFd forced(::open(view->node.c_str(), O_RDWR | O_CLOEXEC));
        CHECK((!forced || ::pwrite(forced.get(), "x", 1, 0) == -1));
        CHECK(tree.root().read_file("disk.img", std::size_t{64} << 20).value() == before.value());
    }

    TEST_CASE_FIXTURE(Fixture, "confined: memory and files it writes are bounded") {
        if (!usable()) {
            return;
        }
        const auto take_memory = [](const Root&) {
            const std::size_t gibibyte = std::size_t{1} << 30;
            return ::mmap(nullptr, gibibyte, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
                                                                                                          : 0;
        };
        const auto write_much = [](const Root&) {
            const int memfd = ::memfd_create("x", MFD_CLOEXEC);
            return errno_of(::ftruncate(memfd, static_cast<off_t>(Limits().file_bytes) + 1));
        };
        if (!address_sanitizer) {  // which reserves terabytes, so that the sandbox sets no limit then
            CHECK(confined(image, {}, take_memory) == ENOMEM);
        }
        CHECK(confined(image, {}, write_much) == 1000 + SIGXFSZ);
    }
}
