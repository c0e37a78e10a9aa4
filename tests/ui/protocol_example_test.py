#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# The client of docs/protocol.md, taken out of the page and run: protocol_example_test.py PROTOCOL.MD
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "menu"))
from fake_daemon import FakeDaemon, sample, said  # noqa: E402

page = open(sys.argv[1], encoding="utf-8").read()
client = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)

with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "socket")
    daemon = FakeDaemon(path, sample())
    daemon.steps = [("fetch", "fetching"), ("jump", "jumping")]

    def run(*arguments):
        return subprocess.run([sys.executable, "-c", client, path, *arguments], capture_output=True, text=True,
                              timeout=30)

    listed = run()
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.splitlines()[0] == "nvme0n1p2/grub/0\tDebian GNU/Linux", listed.stdout
    assert len(listed.stdout.splitlines()) == 5, listed.stdout

    booted = run("@default")
    assert booted.stdout == "fetch fetching\njump jumping\n", booted.stdout + booted.stderr
    assert daemon.calls[-1] == ("Boot", {"option": "@default", "append": "quiet"}), daemon.calls

    daemon.errors["Boot"] = {"error": "io.stillboot.Refused", "parameters": {"reason": said("it waits")}}
    refused = run("@default")
    assert refused.returncode == 1 and refused.stderr.startswith("io.stillboot.Refused: "), refused.stderr
    daemon.quit()
