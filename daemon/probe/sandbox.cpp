// SPDX-License-Identifier: Apache-2.0
// rlimits, capabilities, chroot and seccomp.
#include "daemon/probe/sandbox.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <memory>

namespace stillboot::probe {
namespace {

Error sandbox_error(int error_number, std::string_view step) {
    return Error::from_errno(error_number, "probe.sandbox_failed", {{"step", step}});
}

bool set_limit(__rlimit_resource resource, std::uint64_t value) {
    struct rlimit limit = {};
    if (::getrlimit(resource, &limit) != 0) {
        return false;
    }
    limit.rlim_max = limit.rlim_max < value ? limit.rlim_max : value;
    limit.rlim_cur = limit.rlim_max;
    return ::setrlimit(resource, &limit) == 0;
}

bool holds_capabilities() {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {};
    return ::syscall(SYS_capget, &header, data) != 0 || data[0].permitted != 0 || data[1].permitted != 0;
}

// The bounding set and the meaning of uid 0: what could bring capabilities back.
Result<void> close_the_way_back() {
    // Dropping from the bounding set needs CAP_SETPCAP, and does not limit what is held already: all of it goes.
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        if (::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1 &&
            ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
            return sandbox_error(errno, "PR_CAPBSET_DROP");
        }
    }
    constexpr unsigned long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                     SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (::prctl(PR_GET_SECUREBITS) != static_cast<int>(locked) &&
        ::prctl(PR_SET_SECUREBITS, locked, 0, 0, 0) != 0) {
        return sandbox_error(errno, "PR_SET_SECUREBITS");
    }
    return {};
}

class Filter {
public:
    Filter() : context_(::seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), ::seccomp_release) {}

    void allow(int call) { add(call, {}); }
    template <class... Conditions>
    void allow_if(int call, Conditions... conditions) {
        add(call, {conditions...});
    }
    // no_new_privs has been set by limit_process; libseccomp would set it again.
    int load() {
        if (failure_ == 0) {
            failure_ = ::seccomp_load(context_.get());
        }
        return failure_;
    }

private:
    void add(int call, std::initializer_list<scmp_arg_cmp> conditions) {
        const int added = ::seccomp_rule_add_array(
            context_.get(), SCMP_ACT_ALLOW, call, static_cast<unsigned>(conditions.size()), std::data(conditions));
        if (failure_ == 0) {
            failure_ = added;
        }
    }

    std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
    int failure_ = 0;
};

scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}

scmp_arg_cmp lacks(unsigned argument, std::uint64_t bits) {
    return {argument, SCMP_CMP_MASKED_EQ, bits, 0};
}

void allow_memory(Filter& filter) {
    for (const int call :
         {SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
          SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getpid), SCMP_SYS(gettid),
          SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack),
          SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)}) {
        filter.allow(call);
    }
    filter.allow_if(SCMP_SYS(mmap), lacks(2, PROT_EXEC));
    filter.allow_if(SCMP_SYS(mprotect), lacks(2, PROT_EXEC));
    // abort() raises a signal in this very process; no other may be sent one.
    filter.allow_if(SCMP_SYS(tgkill), equals(0, static_cast<std::uint64_t>(::getpid())));
}

void allow_open_files(Filter& filter) {
    for (const int call :
         {SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(lseek),
          SCMP_SYS(_llseek), SCMP_SYS(fstat), SCMP_SYS(close), SCMP_SYS(fadvise64), SCMP_SYS(ftruncate),
          SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(recvmsg), SCMP_SYS(poll), SCMP_SYS(ppoll)}) {
        filter.allow(call);
    }
    for (const int command : {F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS}) {
        filter.allow_if(SCMP_SYS(fcntl), equals(1, static_cast<std::uint64_t>(command)));
    }
    filter.allow_if(SCMP_SYS(newfstatat), equals(3, AT_EMPTY_PATH));  // how newer C libraries write fstat
    filter.allow_if(SCMP_SYS(memfd_create), lacks(1, MFD_HUGETLB));
    filter.allow(SCMP_SYS(fstatfs));
}

// Sanitizers find out by a pipe whether memory can be read, and report what can not.
void allow_sanitizer(Filter& filter) {
    filter.allow(SCMP_SYS(pipe));
    filter.allow(SCMP_SYS(pipe2));
}

void allow_paths(Filter& filter) {
    for (const int call :
         {SCMP_SYS(openat2), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(readlinkat), SCMP_SYS(getdents64)}) {
        filter.allow(call);
    }
}

}  // namespace

Result<void> limit_process(const Limits& limits) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_DUMPABLE, 0) != 0) {
        return sandbox_error(errno, "prctl");
    }
    // An address sanitizer reserves terabytes of address space.
    const bool set = set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_CPU, limits.cpu_seconds) &&
                     set_limit(RLIMIT_FSIZE, limits.file_bytes) && set_limit(RLIMIT_NOFILE, limits.open_files) &&
                     set_limit(RLIMIT_MEMLOCK, 0) && set_limit(RLIMIT_NPROC, 0) &&
                     (address_sanitizer || set_limit(RLIMIT_AS, limits.memory_bytes));
    if (!set) {
        return sandbox_error(errno, "setrlimit");
    }
    return {};
}

Result<void> keep_capabilities(std::uint64_t mask) {
    if (holds_capabilities()) {
        if (auto dropped = close_the_way_back(); !dropped) {
            return dropped;
        }
    }
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
        return sandbox_error(errno, "PR_CAP_AMBIENT");
    }
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {};
    data[0].effective = data[0].permitted = static_cast<std::uint32_t>(mask);
    data[1].effective = data[1].permitted = static_cast<std::uint32_t>(mask >> 32);
    if (::syscall(SYS_capset, &header, data) != 0) {
        return sandbox_error(errno, "capset");
    }
    return {};
}

Result<void> enter_root(int directory) {
    if (::fchdir(directory) != 0 || ::chroot(".") != 0 || ::chdir("/") != 0) {
        return sandbox_error(errno, "chroot");
    }
    return {};
}

Result<void> allow_only(Calls calls) {
    Filter filter;
    allow_memory(filter);
    allow_open_files(filter);
    if (address_sanitizer) {
        allow_sanitizer(filter);
    }
    if (calls == Calls::read_files) {
        allow_paths(filter);
    }
    if (const int failure = filter.load(); failure != 0) {
        return sandbox_error(-failure, "seccomp");
    }
    return {};
}

}  // namespace stillboot::probe
