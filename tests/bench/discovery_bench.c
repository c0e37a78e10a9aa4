// SPDX-License-Identifier: Apache-2.0
// Measures, inside a machine: how long the daemon takes to list what disks offer, and the least that this could
// cost.
//   discovery_bench daemon COUNT     starts stillbootd; microseconds to its socket, to the first of COUNT entries
//                                    listed ("Entry-0", "Entry-1", …), and to all of them; then its memory
//   discovery_bench floor DEVICE...  a process each that mounts a device and reads its grub.cfg, one after the
//   other discovery_bench start PROGRAM    one start of a program that has nothing to do, the mean of 20
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static int connect_to_daemon(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/stillboot/io.stillboot"};
    for (;;) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr*)&address, sizeof address) == 0) {
            return fd;
        }
        close(fd);
        usleep(500);
    }
}

static int watch(int fd, int count, long start) {
    static const char call[] = "{\"method\":\"io.stillboot.Watch\",\"parameters\":{},\"more\":true}";
    static char buffer[8 << 20];
    char seen[1024] = {0};
    size_t size = 0;
    int found = 0;
    if (write(fd, call, sizeof call) != sizeof call) {
        return 1;
    }
    while (found < count) {
        struct pollfd waiting = {fd, POLLIN, 0};
        if (poll(&waiting, 1, 240000) <= 0) {
            printf("only %d of %d after 240 s\n", found, count);
            return 1;
        }
        ssize_t got = read(fd, buffer + size, sizeof buffer - size - 1);
        if (got <= 0) {
            return 1;
        }
        size += (size_t)got;
        char* end;
        while ((end = memchr(buffer, 0, size)) != NULL) {
            for (char* at = buffer; (at = strstr(at, "\"title\":\"Entry-")) != NULL; at++) {
                int number = atoi(at + 15);
                if (number >= 0 && number < count && !seen[number]) {
                    seen[number] = 1;
                    if (found++ == 0) {
                        printf("first %ld\n", now_us() - start);
                    }
                }
            }
            size -= (size_t)(end + 1 - buffer);
            memmove(buffer, end + 1, size);
        }
    }
    printf("all %ld\n", now_us() - start);
    return 0;
}

static void print_memory(pid_t pid) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE* status = fopen(path, "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0 || strncmp(line, "VmHWM:", 6) == 0) {
            printf("%.5s %ld\n", line, atol(line + 6));
        }
    }
}

static int run_daemon(int count) {
    unlink("/run/stillboot/io.stillboot");
    long start = now_us();
    pid_t pid = fork();
    if (pid == 0) {
        freopen("/dev/null", "w", stdout);
        freopen("/dev/null", "w", stderr);
        execl("/usr/sbin/stillbootd", "stillbootd", (char*)NULL);
        _exit(127);
    }
    int fd = connect_to_daemon();
    printf("socket %ld\n", now_us() - start);
    int failed = watch(fd, count, start);
    print_memory(pid);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return failed;
}

static void floor_of_one(const char* device) {
    char buffer[65536];
    if (mount(device, "/tmp/floor", "ext4", MS_RDONLY, "noload") != 0) {
        _exit(1);
    }
    int fd = open("/tmp/floor/boot/grub/grub.cfg", O_RDONLY);
    int good = fd >= 0 && read(fd, buffer, sizeof buffer) > 0;
    close(fd);
    _exit(umount("/tmp/floor") == 0 && good ? 0 : 1);
}

static int run_floor(int count, char** devices) {
    mkdir("/tmp/floor", 0700);
    long start = now_us();
    for (int i = 0; i < count; i++) {
        char* arguments[] = {"discovery_bench", "one", devices[i], NULL};
        pid_t pid = fork();
        if (pid == 0) {
            execv("/proc/self/exe", arguments);
            _exit(1);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        if (status != 0) {
            printf("floor failed on %s\n", devices[i]);
            return 1;
        }
        if (i == 0) {
            printf("first %ld\n", now_us() - start);
        }
    }
    printf("all %ld\n", now_us() - start);
    return 0;
}

static int run_start(const char* program) {
    const int rounds = 20;
    long start = now_us();
    for (int i = 0; i < rounds; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            close(3);
            execl(program, program, (char*)NULL);
            _exit(127);
        }
        waitpid(pid, NULL, 0);
    }
    printf("start %ld\n", (now_us() - start) / rounds);
    return 0;
}

int main(int argc, char** argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3 && strcmp(argv[1], "one") == 0) {
        floor_of_one(argv[2]);
    }
    if (argc == 3 && strcmp(argv[1], "daemon") == 0) {
        return run_daemon(atoi(argv[2]));
    }
    if (argc == 3 && strcmp(argv[1], "start") == 0) {
        return run_start(argv[2]);
    }
    if (argc > 2 && strcmp(argv[1], "floor") == 0) {
        return run_floor(argc - 2, argv + 2);
    }
    fprintf(stderr, "usage: discovery_bench daemon COUNT | floor DEVICE... | start PROGRAM\n");
    return 2;
}
