# SPDX-License-Identifier: Apache-2.0
"""A management controller outside the machine: QEMU's ipmi-bmc-extern at the other end of a socket."""
import pathlib
import select
import socket
import tempfile
import threading

# The protocol of the "VM" interface of OpenIPMI's lanserv, which QEMU speaks.
MESSAGE_END, COMMAND_END, ESCAPE = 0xA0, 0xA1, 0xAA
RESET = 0x04
GET_DEVICE_ID, CHASSIS_CONTROL = (0x06, 0x01), (0x00, 0x02)
POWER_CYCLE = 0x02
INVALID_COMMAND = 0xC1


def framed(body, end):
    out = bytearray()
    for byte in body:
        out += bytes([ESCAPE, byte | 0x10]) if byte in (MESSAGE_END, COMMAND_END, ESCAPE) else bytes([byte])
    return bytes(out) + bytes([end])


class Bmc:
    """Knows who it is and how to cycle the power, which it does by QEMU's reset; everything else it refuses.

    arguments: what QEMU is started with. requests: (network function, command, data) in the order of their coming."""

    def __init__(self):
        self.requests = []
        self._directory = tempfile.TemporaryDirectory(prefix="stillboot-bmc-")  # a socket's path may have 107 bytes
        path = pathlib.Path(self._directory.name) / "bmc"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._ended, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        # reconnect: connected to before its interface is there, QEMU crashes.
        self.arguments = ["-chardev", f"socket,id=bmc,path={path},reconnect=1", "-device", "ipmi-bmc-extern,id=bmc0,chardev=bmc",
                          "-device", "isa-ipmi-kcs,bmc=bmc0"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end.close()
        self._thread.join()
        for each in (self._listener, self._ended):
            each.close()
        self._directory.cleanup()

    def _serve(self):
        if self._listener not in select.select([self._listener, self._ended], [], [])[0]:
            return
        connection, _ = self._listener.accept()
        with connection:
            body, escaped = bytearray(), False
            while self._ended not in select.select([connection, self._ended], [], [])[0]:
                data = connection.recv(4096)
                if not data:
                    return
                for byte in data:
                    if byte == ESCAPE:
                        escaped = True
                    elif byte in (MESSAGE_END, COMMAND_END):
                        if byte == MESSAGE_END:
                            self._answer(connection, body)
                        body = bytearray()
                    else:
                        body.append(byte & ~0x10 if escaped else byte)
                        escaped = False

    def _answer(self, connection, message):
        sequence, function, command, data = message[0], message[1] >> 2, message[2], bytes(message[3:-1])
        self.requests.append((function, command, data))
        answer = [INVALID_COMMAND]
        if (function, command) == GET_DEVICE_ID:
            answer = [0, 0x20, 0x01, 0x01, 0x00, 0x02, 0x00, 0, 0, 0, 0, 0]
        elif (function, command, data) == (*CHASSIS_CONTROL, bytes([POWER_CYCLE])):
            answer = [0]
        body = [sequence, (function | 1) << 2, command] + answer
        connection.sendall(framed(body + [-sum(body) & 0xFF], MESSAGE_END))
        if answer == [0]:
            connection.sendall(framed([RESET], COMMAND_END))
