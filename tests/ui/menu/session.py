# SPDX-License-Identifier: Apache-2.0
# A program on a pseudo-terminal whose screen is read back through a terminal emulator.
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte


class Session:
    def __init__(self, argv, term="vt100", rows=24, columns=80, env=None, size_known=True):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        environment = {"PATH": os.environ["PATH"], **({"TERM": term} if term is not None else {}), **(env or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if size_known:
                self.set_size(0, rows, columns)
            os.execve(argv[0], argv, environment)
        self.status = None

    @staticmethod
    def set_size(fd, rows, columns):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.set_size(self.fd, rows, columns)

    def send(self, keys):
        os.write(self.fd, keys if isinstance(keys, bytes) else keys.encode())

    def read(self, timeout):
        """Feeds what came within the time to the emulator; False at the end of the program."""
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw += data
        self.stream.feed(data)
        return bool(data)

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, condition, what, timeout=20):
        """Reads until the condition holds for the screen; fails with the screen otherwise."""
        end = time.monotonic() + timeout
        while not condition(self.text()):
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come; the screen:\n{self.text()}")
            if not self.read(0.1) and not condition(self.text()):
                raise AssertionError(f"the program ended before {what}; the screen:\n{self.text()}")

    def wait_for(self, wanted, timeout=20):
        self.wait(lambda text: wanted in text, repr(wanted), timeout)

    def wait_gone(self, unwanted, timeout=20):
        self.wait(lambda text: unwanted not in text, f"a screen without {unwanted!r}", timeout)

    def wait_exit(self, timeout=20):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                return self.status
        raise AssertionError(f"the program did not end; the screen:\n{self.text()}")

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.status = -signal.SIGKILL
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
