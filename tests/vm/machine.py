# SPDX-License-Identifier: Apache-2.0
"""A machine in QEMU: its console, a root shell inside it, its screen, and its monitor."""
import base64
import itertools
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import threading
import time

import pyte

# Software emulation is slow, more so beside other work: how much longer than on an idle machine to wait.
PATIENCE = float(os.environ.get("STILLBOOT_VM_PATIENCE", "3"))


class Timeout(Exception):
    """What was waited for did not come; closed: nor can it, since the line is closed."""

    def __init__(self, message, closed=False):
        super().__init__(message)
        self.closed = closed


class Line:
    """A serial line: everything it said, with times; and a way to type."""

    def __init__(self, connection, log_path, start):
        self._socket, self._start = connection, start
        self._condition = threading.Condition()
        self._data = b""
        self._arrivals = []  # (offset, seconds since the start)
        self._position = 0  # where expect() goes on
        self.closed = False
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self._shown = 0  # how much of the data the screen has drawn
        self._log = open(log_path, "wb")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                chunk = self._socket.recv(65536)
            except OSError:
                chunk = b""
            with self._condition:
                if not chunk:
                    self.closed = True
                    self._condition.notify_all()
                    self._log.close()
                    return
                self._arrivals.append((len(self._data), time.monotonic() - self._start))
                self._data += chunk
                self._condition.notify_all()
            self._log.write(chunk)
            self._log.flush()

    @property
    def text(self):
        with self._condition:
            return self._data.decode("utf-8", "replace")

    def send(self, text):
        """Types text, or bytes."""
        self._socket.sendall(text if isinstance(text, bytes) else text.encode())

    def expect(self, pattern, timeout=60, what=None):
        """Waits for a regular expression in what was not yet consumed, consumes through it; returns the match.

        It is searched anew at whatever the line says: one that begins with a wildcard takes minutes for kilobytes.
        """
        compiled = re.compile(pattern.encode() if isinstance(pattern, str) else pattern)
        deadline = time.monotonic() + timeout * PATIENCE
        with self._condition:
            while True:
                match = compiled.search(self._data, self._position)
                if match:
                    self._position = match.end()
                    return match
                left = deadline - time.monotonic()
                if self.closed or left <= 0:
                    why = "the line was closed" if self.closed else f"not within {timeout * PATIENCE:.0f} s"
                    tail = self._data[-1500:].decode("utf-8", "replace")
                    raise Timeout(f"{what or pattern!r}: {why}; the last that was said:\n{tail}", self.closed)
                self._condition.wait(left)

    def skip(self):
        """Consumes all that was said until now."""
        with self._condition:
            self._position = len(self._data)

    def seconds_at(self, pattern):
        """When (seconds since the start) the first match of a pattern arrived; None if it never did."""
        with self._condition:
            match = re.search(pattern.encode(), self._data)
            if not match:
                return None
            return [when for offset, when in self._arrivals if offset <= match.start()][-1]

    def read_until(self, pattern, timeout=60, what=None):
        """expect(), which also answers with what was said before: (bytes, match)."""
        begin = self._position
        match = self.expect(pattern, timeout, what)
        return match.string[begin:match.start()], match

    def screen(self):
        """The lines that a terminal of 80x24 shows now."""
        return [line.rstrip() for line in self.cells().display]

    def cells(self):
        """The terminal itself (a pyte.Screen), for colours and the cursor. Read it when the line is quiet."""
        with self._condition:  # drawn when asked: most lines are never looked at, and it is slow
            self._stream.feed(self._data[self._shown:])
            self._shown = len(self._data)
            return self._screen

    def wait_screen(self, pattern, timeout=30):
        """Waits until the screen, its lines joined by newlines, matches; returns the match."""
        return self.wait_until(lambda: re.search(pattern, "\n".join(self.screen())), repr(pattern), timeout)

    def wait_shown(self, pattern, timeout=30):
        """wait_screen(), which also finds what was there for a moment only since the screen was last looked at."""
        def shows():
            # Not more at once than arrived at once.
            for end in [offset for offset, _ in self._arrivals if offset > self._shown] + [len(self._data)]:
                self._stream.feed(self._data[self._shown:end])
                self._shown = end
                if match := re.search(pattern, "\n".join(line.rstrip() for line in self._screen.display)):
                    return match
            return None
        return self.wait_until(shows, repr(pattern), timeout)

    def wait_until(self, shows, what, timeout=30):
        """Waits until shows(), asked anew at whatever the line says, is true; returns what it answered."""
        deadline = time.monotonic() + timeout * PATIENCE
        with self._condition:
            while True:
                answer = shows()
                if answer:
                    return answer
                left = deadline - time.monotonic()
                if self.closed or left <= 0:
                    raise Timeout(f"{what} is not on the screen after {timeout * PATIENCE:.0f} s:\n"
                                  + "\n".join(self.screen()), self.closed)
                self._condition.wait(left)


class Monitor:
    """QEMU's own control socket (QMP)."""

    def __init__(self, connection):
        self._file = connection.makefile("rw", encoding="utf-8")
        self._events = []
        self._file.readline()
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        """Runs one command; answers with its result. Keywords: underscores are written as dashes."""
        return self.execute(command, {name.replace("_", "-"): value for name, value in arguments.items()})

    def execute(self, command, arguments):
        """The same with the arguments' names as they are."""
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            line = self._file.readline()
            if not line:
                raise EOFError("QEMU is gone")
            reply = json.loads(line)
            if "error" in reply:
                raise RuntimeError(f"{command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
            self._events.append(reply)

    def events(self, name):
        """What each event of this name said, of a QEMU that has ended."""
        try:
            self._events += [json.loads(line) for line in self._file]
        except ConnectionError:
            pass
        return self._named(name)

    def events_so_far(self, name):
        """The same of a QEMU that runs."""
        self("query-status")  # its answer comes behind them
        return self._named(name)

    def wait_event(self, name, after, timeout=60):
        """Waits until a QEMU that runs has told of more events of this name than `after`; answers with those."""
        deadline = time.monotonic() + timeout * PATIENCE
        while not (new := self.events_so_far(name)[after:]):
            if time.monotonic() > deadline:
                raise Timeout(f"no {name} after {timeout * PATIENCE:.0f} s")
            time.sleep(0.2)
        return new

    def _named(self, name):
        return [event.get("data", {}) for event in self._events if event.get("event") == name]


class Machine:
    """One virtual machine; a context manager that ends it.

    kernel, initrd: paths; append: the kernel's command line beyond the console; disks: (path, kind) with kind
    one of Machine.KINDS, or a list of QEMU arguments with {path}; arguments: more QEMU arguments; memory in
    MB; limit: seconds (before patience) after which the machine is ended whatever happens; reboots: whether
    a restart restarts it instead of ending QEMU; shell: whether a shell is wanted on the second line.
    """

    KINDS = {
        "virtio-blk": "virtio-blk-pci,drive={id},serial={id}",
        "virtio-blk-4k": "virtio-blk-pci,drive={id},serial={id},logical_block_size=4096,physical_block_size=4096",
        "nvme": "nvme,drive={id},serial={id}",
        "ahci": "ide-hd,drive={id},bus=ide.{n},serial={id}",
        "cdrom": "ide-cd,drive={id},bus=ide.{n}",
        "usb": "usb-storage,drive={id},bus=xhci.0,removable=on,serial={id}",
        "scsi": "scsi-hd,drive={id},bus=scsi0.0,serial={id}",
    }

    def __init__(self, directory, kernel, initrd, append="", disks=(), arguments=(), memory=1024, cpus=2,
                 limit=240, reboots=False, shell=True, console="console=ttyS0 no_timer_check quiet panic=-1"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._numbers = itertools.count()
        self._ahci = itertools.count()
        # A fixed short place for sockets: their paths may have 107 bytes.
        self._sockets = pathlib.Path(f"/tmp/stillboot-vm-{os.getpid()}-{id(self):x}")
        self._sockets.mkdir(mode=0o700)
        words = [console, append] + (["firmware.shell=ttyS1"] if shell else [])
        command = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp",
                   str(cpus), "-m", str(memory), "-display", "none", "-vga", "none", "-nodefaults",
                   "-kernel", str(kernel), "-initrd", str(initrd), "-append", " ".join(filter(None, words))]
        for name in ("console", "shell"):
            command += ["-chardev", f"socket,id={name},path={self._sockets}/{name},server=on,wait=on",
                        "-serial", f"chardev:{name}"]
        command += ["-qmp", f"unix:{self._sockets}/qmp,server=on,wait=on"]
        if not reboots:
            command.append("-no-reboot")
        # Controllers come first, so that disks may name them.
        command += ["-device", "qemu-xhci,id=xhci", "-device", "virtio-scsi-pci,id=scsi0"]
        for path, kind in disks:
            command += self.disk_arguments(path, kind)
        command += [str(argument) for argument in arguments]
        self.command, self._limit = command, limit
        self._process = None
        self.wants_shell = shell

    def disk_arguments(self, path, kind):
        """The QEMU arguments of one raw disk."""
        number = next(self._numbers)
        name = f"disk{number}"
        device = self.KINDS[kind].format(id=name, n=next(self._ahci) if kind in ("ahci", "cdrom") else 0)
        media = "media=cdrom,readonly=on" if kind == "cdrom" else "cache=unsafe"
        return ["-drive", f"if=none,id={name},format=raw,file={path},{media}", "-device", device]

    def __enter__(self):
        wrapper = shlex.split(os.environ.get("STILLBOOT_VM_WRAPPER", ""))
        # In the foreground: in the process group that is ended when the test is.
        limit = str(int(self._limit * PATIENCE))
        (self.directory / "qemu-command").write_text(shlex.join(self.command) + "\n")
        self._output = open(self.directory / "qemu.log", "wb")
        self._process = subprocess.Popen(wrapper + ["timeout", "--foreground", "-k", "5", limit] + self.command,
                                         stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output,
                                         start_new_session=True)
        try:
            first = self._connect("console")
            self.start = time.monotonic()
            self.console = Line(first, self.directory / "console.log", self.start)
            self._shell = Line(self._connect("shell"), self.directory / "shell.log", self.start)
            self.monitor = Monitor(self._connect("qmp"))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self._shell_ready = False
        return self

    def _connect(self, name):
        """QEMU waits for each of its sockets in turn; a wrapper may hold it back for long."""
        while True:
            try:
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(str(self._sockets / name))
                return connection
            except OSError:
                connection.close()
                if self._process.poll() is not None:
                    text = (self.directory / "qemu.log").read_text(errors="replace")
                    raise RuntimeError(f"QEMU did not start: {text[-2000:]}") from None
                time.sleep(0.05)

    def _how_it_ended(self):
        """For a line that was closed: a machine that is gone has said why on its console, or QEMU has."""
        try:
            status = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return "QEMU still runs"
        said = (self.directory / "qemu.log").read_text(errors="replace")
        return f"QEMU had ended with status {status}: {said[-1000:]}\nthe last on its console:\n{self.console.text[-1500:]}"

    def __exit__(self, _, problem, __):
        if isinstance(problem, Timeout) and problem.closed:
            problem.add_note(self._how_it_ended())
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._output.close()
        for path in self._sockets.iterdir():
            path.unlink()
        self._sockets.rmdir()

    @property
    def second_console(self):
        """ttyS1 as a Line, in a machine that has no shell there."""
        assert not self.wants_shell, "this machine has its shell on that line"
        return self._shell

    @property
    def seconds(self):
        """Since the machine was started."""
        return time.monotonic() - self.start

    def sh(self, command, timeout=30, check=True):
        """Runs a command in the machine as root; answers with what it printed (both streams).

        check: a status other than 0 is an error; without it the answer is (status, text). The command runs in
        a shell of its own each time, so a cd or a variable does not last.
        """
        assert self.wants_shell, "this machine was made without shell=True"
        if not self._shell_ready:
            self._shell.send("\n")
            # A machine may have to hand over and start first.
            self._shell.expect(r"# ", timeout=max(60, timeout), what="a shell in the machine")
            # A shell that reads a file, if only this line, is not interactive: no echo, no prompt.
            self._shell.send("stty raw -echo; echo shell''-ready; exec sh /dev/ttyS1\n")
            self._shell.expect(r"shell-ready\r?\n", timeout=60)
            self._shell_ready = True
        number = next(self._numbers)
        coded = base64.b64encode(command.encode()).decode()
        # Short lines: a terminal line in the machine may hold 4095 bytes.
        self._shell.send(": >/tmp/.command\n")
        for place in range(0, len(coded), 2000):
            self._shell.send(f"echo {coded[place:place + 2000]} >>/tmp/.command\n")
        self._shell.send(f"echo begin''-{number}; base64 -d /tmp/.command | sh 2>&1; "
                         f"echo end''-{number} $?\n")
        self._shell.expect(rf"begin-{number}\r?\n", timeout=timeout, what=f"the start of: {command}")
        said, end = self._shell.read_until(rf"end-{number} (\d+)\r?\n", timeout=timeout,
                                           what=f"the end of: {command}")
        text = said.decode("utf-8", "replace").replace("\r\n", "\n")
        status = int(end[1])
        if not check:
            return status, text
        if status != 0:
            raise AssertionError(f"in the machine, status {status} of: {command}\n{text}")
        return text

    def restarted(self):
        """The machine has restarted: the next command waits for a new shell, whatever prompts there were before."""
        self._shell_ready = False
        self._shell.skip()

    def wait_sh(self, condition, seconds=60):
        """Waits until a command succeeds in the machine, tried each second."""
        self.sh(f"for i in $(seq {seconds * PATIENCE:.0f}); do ( {condition} ) >/dev/null 2>&1 && exit 0; sleep 1; "
                "done; stillboot devices; stillboot log | tail -n 20; dmesg | tail; exit 1", timeout=2 * seconds + 30)

    def settle(self, seconds=60):
        """Waits until udev has nothing to do; where that does not come, says what it is at."""
        limit = round(seconds * PATIENCE)
        self.sh(f"udevadm settle --timeout={limit} || {{ ps | grep -F udev; for pid in $(pidof systemd-udevd); do "
                "echo \"== $pid $(cat /proc/$pid/wchan)\"; cat /proc/$pid/stack; done; stillboot log | tail -n 20; "
                "dmesg | tail -n 40; exit 1; }", timeout=seconds + 10)

    def wait_off(self, timeout=60):
        """Waits until the machine powered off (or restarted, which ends it too)."""
        try:
            self._process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Timeout(f"the machine is still on after {timeout * PATIENCE:.0f} s") from None

    def wait_end(self, timeout=60):
        """Waits until the machine powered off or restarted; answers which, as QEMU tells it: ["guest-shutdown"]
        or ["guest-reset"]."""
        self.wait_off(timeout)
        return [event["reason"] for event in self.monitor.events("SHUTDOWN")][-1:]

    def wait_marker(self, timeout=120):
        """Waits for the marker system; answers with what it said: release, bootloader_type, cmdline."""
        self.console.expect(r"MARKER end", timeout=timeout, what="the marker system")
        return dict(re.findall(r"MARKER (\w+): ([^\r\n]*)", self.console.text))
