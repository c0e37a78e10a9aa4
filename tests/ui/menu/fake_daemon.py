# SPDX-License-Identifier: Apache-2.0
# A daemon of a few lines for tests of the menu: speaks varlink, remembers what it was asked, says what it is told.
import json
import os
import socket
import threading


def message(code, text, **parameters):
    return {"code": code, "text": text, "parameters": {k: str(v) for k, v in parameters.items()}}


def said(text):
    """A message whose code the menu does not know: it shows the sentence that comes with it."""
    return message("test.said", text)


def option(id, title, device, order=0, **more):
    return {
        "id": id, "order": order, "title": title, "device": device, "submenus": [],
        "kernel": {"path": "/boot/vmlinuz-6.1.0-18-amd64", "device": None, "url": None, "sha256": None},
        "initrds": [{"path": "/boot/initrd.img-6.1.0-18-amd64", "device": None, "url": None, "sha256": None}],
        "devicetree": None, "args": "root=UUID=5d7f0c9e ro quiet", "version": "6.1.0-18-amd64", "sort_key": "",
        "tries": None, "default": False, "state": "ready", "reason": None,
        "source": {"format": "grub", "file": "/boot/grub/grub.cfg", "line": 102}, **more}


def device(id, order, title, **more):
    return {
        "id": id, "order": order, "node": "/dev/" + id, "uuid": "", "label": "", "filesystem": "", "title": title,
        "parent": None, "model": "", "size_bytes": 0, "removable": False, "state": "found", "reason": None,
        "diagnostics": [], **more}


def state(phase="idle", **more):
    return {"phase": phase, "would_boot": None, "why": said("it stands first"),
            "remaining_ms": None, "progress": None, "last_failure": None, "better_default": None,
            "notices": [], "version": "0.1.0", "by": None, "beaten": [], "strict": False,
            "lock": False, "lock_unknown": False, "lock_after_ms": 0, "shell": False, "default": None, **more}


def change(**more):
    return {"seq": 0, "state": None, "options": [], "options_removed": [], "devices": [], "devices_removed": [],
            "whole": False, **more}


class FakeDaemon:
    """Serves one socket. calls holds (method, parameters) as they came, callers the connection of each; errors maps a
    method to its answer, and steps are what Boot streams, where there are any: the name and the sentence of each. A
    silent one takes connections and answers nothing."""

    def __init__(self, path, snapshot, errors=None):
        self.path = path
        self.snapshot = snapshot
        self.log = []
        self.calls = []
        self.callers = []
        self.errors = errors or {}
        self.steps = []
        self.silent = False
        self.condition = threading.Condition()
        self.watchers = []
        self.connections = []
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        os.unlink(self.path)
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.connections = []
        self.watchers = []

    def quit(self):
        if os.path.exists(self.path):
            self.stop()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            self.read_calls(connection)

    def read_calls(self, connection):
        buffer = b""
        while True:
            try:
                data = connection.recv(65536)
            except OSError:
                return
            if not data:
                return
            buffer += data
            while b"\0" in buffer:
                frame, buffer = buffer.split(b"\0", 1)
                self.answer(connection, json.loads(frame))

    def answer(self, connection, call):
        method = call["method"].removeprefix("io.stillboot.")
        if self.silent:
            return
        with self.condition:
            if method == "Watch":
                self.watchers.append(connection)
                self.send(connection, {"parameters": {"change": {**self.snapshot, "whole": True}}, "continues": True})
                return
            if method == "GetLog":
                self.send(connection, {"parameters": {"lines": self.log}, "continues": True})
                return
            self.calls.append((method, call.get("parameters", {})))
            self.callers.append(connection)
            self.condition.notify_all()
            if method in self.errors:
                self.send(connection, self.errors[method])
            elif method == "Cancel":
                self.send(connection, {"parameters": {"cancelled": "countdown"}})
            elif method == "ListOptions":
                self.send(connection, {"parameters": {"options": self.snapshot["options"]}})
            elif method == "Boot" and not call.get("more"):
                self.send(connection, {"parameters": {"option": "x", "progress": None, "plan": None}})
            elif method != "Boot":
                self.send(connection, {"parameters": {}})
            steps = self.steps if method == "Boot" and call.get("more") and method not in self.errors else []
            if steps:
                # stillbootd first says which option it took, with no progress yet.
                self.send(connection, {"parameters": {"option": "x"}, "continues": True})
            for number, (step, words) in enumerate(steps):
                progress = {"option": "x", "step": step, "message": said(words), "done": 0, "total": 0,
                            "elapsed_ms": 0, "active": [], "left_ms": 0}
                self.send(connection, {"parameters": {"option": "x", "progress": progress, "plan": None},
                                       "continues": number + 1 < len(steps)})

    def send(self, connection, reply):
        try:
            connection.sendall(json.dumps(reply).encode() + b"\0")
        except OSError:
            pass

    def tell(self, **more):
        """Sends a change to every watcher; the state in it becomes part of the snapshot."""
        with self.condition:
            event = change(**more)
            if event["state"]:
                self.snapshot["state"] = event["state"]
            for watcher in self.watchers:
                self.send(watcher, {"parameters": {"change": event}, "continues": True})

    def wait_for_call(self, method, timeout=20):
        with self.condition:
            def came():
                return [parameters for name, parameters in self.calls if name == method]
            if not self.condition.wait_for(came, timeout):
                raise AssertionError(f"{method} was not called; calls: {self.calls}")
            return came()[-1]


def sample(**more):
    """What a machine with a Debian, a Fedora and some other devices would say."""
    root = "nvme0n1p2"
    debian = [
        option(root + "/grub/0", "Debian GNU/Linux", root, 0, default=True),
        option(root + "/grub/1", "Debian GNU/Linux, with Linux 6.1.0-18-amd64", root, 1,
               submenus=["Advanced options for Debian GNU/Linux"]),
        option(root + "/grub/2", "Debian GNU/Linux, with Linux 6.1.0-18-amd64 (recovery mode)", root, 2,
               submenus=["Advanced options for Debian GNU/Linux"], args="root=UUID=5d7f0c9e ro single"),
    ]
    fedora = [
        option("sda1/bls/f40", "Fedora Linux 40 (Server Edition)", "sda1", 0, default=True,
               source={"format": "bls", "file": "/loader/entries/f40.conf", "line": 0}),
        option("sda1/bls/f39", "Fedora Linux 39 (Server Edition)", "sda1", 1, state="waiting",
               reason=message("config.device_missing", "", kind="UUID", value="1f2e-77aa")),
    ]
    devices = [
        device(root, "0/b", "Samsung SSD 980, part 2", label="root", filesystem="ext4",
               size_bytes=480_000_000_000, uuid="5d7f0c9e-3f1f-4a57-9d7b-7f2f5a9f6b11"),
        device("nvme0n1p1", "0/a", "Samsung SSD 980, part 1", label="ESP", filesystem="vfat",
               size_bytes=536_870_912, state="empty",
               reason=said("no boot configuration was found")),
        device("sda1", "1/a", "SanDisk Ultra, part 1", label="boot", filesystem="xfs", size_bytes=1_073_741_824,
               removable=True, diagnostics=[{
                   "file": "/loader/entries/old.conf", "line": 3, "column": 1, "severity": "warning",
                   "message": said("the key \"linx\" is not known")}]),
        device("sdb2", "0/c", "WDC WD40EFRX, part 2", filesystem="crypto_LUKS", size_bytes=4_000_000_000_000,
               state="container",
               reason=said("an encrypted volume (LUKS), which this build cannot open yet")),
        device("sdc", "2/a", "Generic Flash Disk", state="failed", size_bytes=8_000_000_000,
               reason=said("the file system is damaged: EUCLEAN")),
    ]
    return change(seq=1, options=debian + fedora, devices=devices,
                  state=state(**({"phase": "countdown", "would_boot": root + "/grub/0", "remaining_ms": 60_000} | more)))
