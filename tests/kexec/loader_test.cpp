// SPDX-License-Identifier: Apache-2.0
#include "kexec/loader.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot::kexec;
using stillboot::test::TemporaryTree;

TEST_SUITE("kexec") {
    TEST_CASE("each errno of a load becomes a sentence to act on") {
        LoadOrder order;
        order.format = Format::bzimage;
        struct Row {
            int error_number;
            const char* sentence;
        };
        const Row rows[] = {
            {ENOEXEC, "the running kernel cannot load this bzImage kernel: ENOEXEC (Exec format error)"},
            {EINVAL,
             "the running kernel refuses this bzImage kernel or its command line: EINVAL (Invalid argument)"},
            {ENOSYS, "the running kernel was built without kexec: ENOSYS (Function not implemented)"},
            {ENOMEM, "there is not enough memory to load the kernel: ENOMEM (Cannot allocate memory)"},
            {EADDRNOTAVAIL,
             "no stretch of memory is large enough to load the kernel into: EADDRNOTAVAIL (Cannot assign "
             "requested "
             "address)"},
            {EBUSY,
             "another load is under way, or a crash dump holds the loader: EBUSY (Device or resource busy)"},
            {EBADF,
             "the kernel or initrd file could not be handed to the running kernel: EBADF (Bad file "
             "descriptor)"},
            {EFBIG, "the kernel or an initrd is larger than the running kernel takes: EFBIG (File too large)"},
            {EACCES,
             "the integrity policy (IMA) of the running kernel refuses this file: EACCES (Permission denied)"},
            {EKEYREJECTED,
             "the signature of this kernel is not one that the running kernel trusts: EKEYREJECTED (Key was "
             "rejected by service)"},
            {ENOKEY,
             "this kernel is signed with a key that the running kernel does not have: ENOKEY (Required key not "
             "available)"},
            {EBADMSG, "the signature of this kernel does not match it: EBADMSG (Bad message)"},
            {ENOPKG,
             "the running kernel lacks the algorithm that this kernel is signed with: ENOPKG (Package not "
             "installed)"},
            {ELIBBAD,
             "the signature of this kernel cannot be read: ELIBBAD (Accessing a corrupted shared library)"},
            {ENODATA,
             "this kernel is not signed, and the running kernel takes only signed ones: ENODATA (No data "
             "available)"},
            {EIO, "the kernel cannot be loaded: EIO (Input/output error)"},
        };
        for (const Row& row : rows) {
            const auto error = explain_load_error(row.error_number, order, {});
            CHECK(error.sentence() == row.sentence);
            CHECK(error.error_number() == row.error_number);
        }
    }

    TEST_CASE("EPERM is explained by what the machine says of itself") {
        LoadRestrictions restrictions;
        const auto code = [&] { return explain_load_error(EPERM, {}, restrictions).code(); };
        CHECK(code() == "kexec.load_refused");
        restrictions.lockdown = "integrity";
        CHECK(explain_load_error(EPERM, {}, restrictions).sentence() ==
              "the running kernel is locked down (integrity) and takes only kernels signed with a key it trusts: "
              "EPERM (Operation not permitted)");
        restrictions.calls_left = 1;
        CHECK(code() == "kexec.lockdown_refuses");
        restrictions.calls_left = 0;
        CHECK(code() == "kexec.load_limit_reached");
        restrictions.load_disabled = true;
        CHECK(code() == "kexec.load_disabled");
        restrictions.may_boot = false;
        CHECK(code() == "kexec.not_permitted");
    }

    TEST_CASE("the kexec program is tried only where the kernel did not say no on purpose") {
        for (const int legitimate : {ENOSYS, ENOEXEC, ENOTSUP, EINVAL}) {
            CHECK(fallback_is_legitimate(legitimate));
        }
        for (const int deliberate :
             {EPERM, EACCES, EKEYREJECTED, EBADMSG, ENOKEY, ENOPKG, ELIBBAD, ENODATA, ENOMEM}) {
            CHECK_FALSE(fallback_is_legitimate(deliberate));
        }
    }

    TEST_CASE("restrictions are read from proc and sysfs; what is not there restricts nothing") {
        const TemporaryTree tree;
        CHECK(read_load_restrictions(tree.root()).lockdown == "none");
        CHECK_FALSE(read_load_restrictions(tree.root()).calls_left.has_value());
        tree.file("proc/sys/kernel/kexec_load_limit_reboot", "-1\n");
        CHECK_FALSE(read_load_restrictions(tree.root()).calls_left.has_value());
        tree.file("proc/sys/kernel/kexec_load_limit_reboot", "2\n");
        tree.file("proc/sys/kernel/kexec_load_disabled", "1\n");
        tree.file("sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
        const auto restrictions = read_load_restrictions(tree.root());
        CHECK(restrictions.calls_left == 2U);
        CHECK(restrictions.load_disabled);
        CHECK(restrictions.lockdown == "confidentiality");
    }

    TEST_CASE("memory must hold kernel and initrds twice and leave a reserve") {
        const TemporaryTree tree;
        tree.file("proc/meminfo", "MemTotal:  999999 kB\nMemAvailable:    102400 kB\nBuffers: 1 kB\n");
        CHECK(available_memory(tree.root()).value() == 104857600);
        CHECK(check_memory(tree.root(), 4 << 20, 30 << 20).has_value());
        CHECK(check_memory(tree.root(), 5 << 20, 30 << 20).error().sentence() ==
              "too little memory: loading needs 106954752 bytes, and 104857600 are available");
    }

    TEST_CASE("a machine that does not say what is free is not taken to have enough") {
        const TemporaryTree tree;
        tree.file("proc/meminfo", "MemAvailable: lots\n");
        CHECK(available_memory(tree.root()).error().sentence() == "/proc/meminfo does not say what it should");
    }
}
