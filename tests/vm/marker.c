// SPDX-License-Identifier: Apache-2.0
// The next system of most machine tests, in a few kilobytes: says on the console which command line it was
// given and who loaded it, and powers off. Static and without a C library; x86-64 only.
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>

static long call(long number, long a, long b, long c, long d, long e) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

static size_t length(const char* text) {
    size_t count = 0;
    while (text[count] != 0) {
        ++count;
    }
    return count;
}

static int console;

static void say(const char* text, size_t count) {
    call(SYS_write, console, (long)text, (long)count, 0, 0);
}

// "name: " and the contents of the file, which end with a newline.
static void report(const char* name, const char* path) {
    char buffer[8192];
    const long file = call(SYS_open, (long)path, O_RDONLY, 0, 0, 0);
    const long count = file < 0 ? file : call(SYS_read, file, (long)buffer, sizeof buffer, 0, 0);
    say(name, length(name));
    say(": ", 2);
    if (count > 0) {
        say(buffer, (size_t)count);
    } else {
        say("(unreadable)\n", 13);
    }
    call(SYS_close, file, 0, 0, 0, 0);
}

void _start(void) {
    call(SYS_mkdir, (long)"/dev", 0755, 0, 0, 0);
    call(SYS_mkdir, (long)"/proc", 0755, 0, 0, 0);
    call(SYS_mount, (long)"proc", (long)"/proc", (long)"proc", 0, 0);
    call(SYS_mount, (long)"devtmpfs", (long)"/dev", (long)"devtmpfs", 0, 0);
    console = (int)call(SYS_open, (long)"/dev/console", O_WRONLY, 0, 0, 0);
    say("\n", 1);
    report("MARKER release", "/proc/sys/kernel/osrelease");
    report("MARKER bootloader_type", "/proc/sys/kernel/bootloader_type");
    report("MARKER cmdline", "/proc/cmdline");
    say("MARKER end\n", 11);
    const long rb_power_off = 0x4321fedc;
    call(SYS_reboot, 0xfee1dead, 672274793, rb_power_off, 0, 0);
    for (;;) {
        call(SYS_pause, 0, 0, 0, 0, 0);
    }
}
