#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# The client that docs/protocol.md shows, taken from there and run: documented_client_test.py DAEMON STILLBOOT DOCUMENT
import re
import subprocess
import sys
import unittest
from pathlib import Path

import remote


class DocumentedClient(remote.Case):
    document = None

    def setUp(self):
        super().setUp()
        self.start_daemon()
        self.client = self.directory / "client.py"
        self.client.write_text(re.search(r"```python\n(.*?)```", self.document.read_text(), re.DOTALL)[1])

    def run_client(self, *arguments):
        return subprocess.run([sys.executable, self.client, self.socket, *arguments], capture_output=True, text=True,
                              timeout=20)

    def test_it_lists(self):
        done = self.run_client()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "disk/grub/linux\tLinux\n", ""))

    def test_it_boots_and_hears_how_that_ends(self):
        with subprocess.Popen([sys.executable, self.client, self.socket, "Linux"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as client:
            self.assertEqual(self.daemon.stdout.readline(), "hand-over\n")
            self.assertEqual(self.stillboot("--host", f"unix:{self.socket}", "cancel")[0], 0)
            _, err = client.communicate(timeout=20)
        self.assertEqual(client.returncode, 1)
        self.assertIn("io.stillboot.BootFailed", err)

    def test_what_is_not_there_is_an_error_in_words(self):
        done = self.run_client("nothing of this name")
        self.assertEqual(done.returncode, 1)
        self.assertIn("io.stillboot.NotFound", done.stderr)


if __name__ == "__main__":
    remote.Case.programs = sys.argv[1:3]
    DocumentedClient.document = Path(sys.argv[3])
    unittest.main(argv=sys.argv[:1])
