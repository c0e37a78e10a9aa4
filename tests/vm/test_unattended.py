# SPDX-License-Identifier: Apache-2.0
"""The main job, with nobody there."""
import pathlib
import re
import subprocess

import demo_machine
import lab as surroundings


def test_unattended_to_the_login_prompt(lab):
    """unattended: countdown, the default entry of a real Debian, and its login prompt"""
    source = pathlib.Path(subprocess.run([surroundings.TOP / "dev", "demo", "--build-only"], check=True,
                                         stdout=subprocess.PIPE, text=True).stdout.split()[-1])
    nonce = (source / "nonce").read_text().strip()
    written = re.search(r"\tlinux\t\S+ (.*)", (source / "grub.cfg").read_text())[1].split()
    kernel, initrd = lab.firmware()
    with demo_machine.demo_machine(lab.directory, kernel, initrd, source) as machine:
        unbound = demo_machine.follow_to_login(machine, lambda _, sentence: lab.say(sentence))
        lab.check("devices were unbound before the jump", unbound >= 6, f"        {unbound}")
        kind, line = demo_machine.seen_from_inside(machine)
        lab.equal("seen from inside, kexec started it", kind, "208")
        lab.check("the nonce that only its grub.cfg holds is on the command line", f"nonce={nonce}" in line, line)
        lab.equal("the command line is the one that the entry says", line.split(), written)
