# SPDX-License-Identifier: Apache-2.0
"""The socket, by clients that nobody here wrote."""
import json
import re

import clients
import disks
import entries
import still

LINE = "console=ttyS0 no_timer_check quiet panic=-1"


def grub_cfg(nonce):
    return f"""set default=0
menuentry 'Debian GNU/Linux' --id plain {{
    linux /boot/vmlinuz {LINE} nonce={nonce}-plain
    initrd /boot/initrd.img
}}
submenu 'Advanced options' {{
    menuentry 'Debian GNU/Linux (recovery mode)' --id recovery {{
        linux /boot/vmlinuz {LINE} single nonce={nonce}-recovery
        initrd /boot/initrd.img
    }}
}}
"""


def test_choose_over_the_socket(lab):
    """over the socket: another program lists, adds a configuration, chooses its entry with an argument, and waits"""
    files = lab.boot_files()
    files["/boot/grub/grub.cfg"] = grub_cfg(lab.nonce)
    files["/srv/mine.cfg"] = (f"menuentry Mine {{\n linux /boot/vmlinuz {LINE} nonce={lab.nonce}-mine\n"
                              " initrd /boot/initrd.img\n}\n")
    image = disks.ext4(lab.directory / "root.img", disks.tree(lab.directory / "tree", files), label="root")
    kernel, initrd = lab.firmware()
    with lab.machine(disks=[(image, "nvme")], kernel=kernel, initrd=clients.initramfs(lab, initrd), memory=2048,
                     append="stillboot.timeout=never", limit=420) as machine:
        machine.sh("true", timeout=90)
        clients.ready(machine)
        entries.wait_for_options(machine, 2)
        options = json.loads(clients.call(machine, "ListOptions"))["parameters"]["options"]
        lab.equal("both entries are listed in their order", [option["title"] for option in options],
                  ["Debian GNU/Linux", "Debian GNU/Linux (recovery mode)"])
        lab.equal("the submenu is known", options[1]["submenus"], ["Advanced options"])
        lab.equal("the entry's place is known", (options[1]["source"]["file"], options[1]["source"]["line"]),
                  ("/boot/grub/grub.cfg", 7))
        told = clients.varlinkctl(machine, "introspect /run/stillboot/io.stillboot io.stillboot")
        lab.check("varlinkctl reads the interface", all(name in told for name in ("method Boot(", "error Busy",
                                                                                 "type Option")), told)
        told = clients.varlinkctl(machine, "info /run/stillboot/io.stillboot")
        lab.check("varlinkctl reads the service", "Stillboot" in told, told)
        told = clients.varlinkctl(machine, "call /run/stillboot/io.stillboot io.stillboot.GetState '{}'")
        lab.check("varlinkctl calls a method", '"phase"' in told, told)
        told = clients.varlinkctl(machine, "--json=short call --more /run/stillboot/io.stillboot "
                                           "io.systemd.BootControl.ListBootEntries '{}'")
        listed = [json.loads(line)["entry"] for line in told.splitlines() if line.startswith("{")]
        lab.equal("varlinkctl lists the entries by systemd's interface",
                  [(entry["title"], entry["linux"], entry["isDefault"]) for entry in listed],
                  [("Debian GNU/Linux", "/boot/vmlinuz", True),
                   ("Debian GNU/Linux (recovery mode)", "/boot/vmlinuz", False)])
        memory = machine.sh(f"grep -h VmRSS /proc/{still.DAEMON}/status")
        lab.check("the idle daemon takes less than 6 MB", int(re.search(r"(\d+) kB", memory)[1]) < 6000, memory)
        plan_of_devices(lab, machine)
        added = add_configuration(lab, machine)
        dry = json.loads(clients.call(machine, "Boot", json.dumps({"option": options[1]["id"], "dry_run": True})))
        lab.check("a dry run gives the plan", len(dry["parameters"]["plan"]) > 5, str(dry))
        chosen = json.dumps({"option": added, "append": f"appended={lab.nonce}"})
        machine.sh(f"(chroot /clients python3 /call.py stream io.stillboot.Boot '{chosen}' 2>&1 | "
                   "while read -r line; do echo \"client: $line\" >/dev/kmsg; done) &")
        said = machine.wait_marker()
        lab.equal("kexec started it", said["bootloader_type"], "208")
        lab.equal("the command line is the entry's with the argument behind it", said["cmdline"],
                  f"{LINE} nonce={lab.nonce}-mine appended={lab.nonce}")
        machine.wait_off()


def plan_of_devices(lab, machine):
    """The plan is the same for varlinkctl as for the machine's own program, and is no secret."""
    told = clients.varlinkctl(machine, "--json=short call /run/stillboot/io.stillboot io.stillboot.GetQuiescePlan '{}'")
    plan = json.loads(told)["plan"]
    own = json.loads(machine.sh("stillboot quiesce plan --json=short"))
    lab.equal("varlinkctl gets the plan of unbinding that the machine makes by itself",
              [(step["name"], step["driver"]) for step in plan["steps"]],
              [(step["name"], step["driver"]) for step in own["steps"]])
    lab.check("the disk's driver is in it", any(step["driver"] == "nvme" for step in plan["steps"]), told)
    lab.equal("and over --host it reads as it does there",
              machine.sh("stillboot --host unix:/run/stillboot/io.stillboot quiesce plan | grep -v ^note:"),
              machine.sh("stillboot quiesce plan | grep -v ^note:"))  # notes are for who asks


def add_configuration(lab, machine):
    """Adds the configuration that no scan finds; returns its entry's id."""
    status, told = machine.sh("stillboot add label=root:/srv/none.cfg", check=False)
    lab.check("a file that is not there is not found", status == 3 and "/srv/none.cfg" in told, told)
    status, told = machine.sh("stillboot add label=root:/boot/grub/grub.cfg", check=False)
    lab.check("what is offered already is refused in words", status == 4 and "offered already" in told, told)
    told = clients.varlinkctl(machine, "--json=short call /run/stillboot/io.stillboot io.stillboot.AddConfiguration "
                                       "'{\"path\": \"label=root:/srv/mine.cfg\"}'")
    added = json.loads(told)["options"]
    lab.check("varlinkctl adds a configuration by its path", len(added) == 1 and added[0].endswith("/grub/mine"), told)
    machine.sh("stillboot rescan")
    machine.sh("stillboot wait idle --timeout 300", timeout=300)
    listed = json.loads(machine.sh("stillboot list --json=short"))["options"]
    lab.equal("it stands behind the others after a rescan, with its source",
              (listed[-1]["id"], listed[-1]["source"]["file"]), (added[0], "/srv/mine.cfg"))
    return added[0]


def test_users_look_and_hostile_clients_harm_themselves(lab):
    """users may look and not act; a client that sends half a message or nothing harms itself alone"""
    path, entry = entries.bls("Marker", options=f"nonce={lab.nonce}")
    image = disks.ext4(lab.directory / "root.img", disks.tree(lab.directory / "tree", {**lab.boot_files(), path: entry}),
                       label="root")
    kernel, initrd = lab.firmware()
    with lab.machine(disks=[(image, "virtio-blk")], kernel=kernel, initrd=clients.initramfs(lab, initrd), memory=2048,
                     append="stillboot.timeout=never", limit=420) as machine:
        machine.sh("true", timeout=90)
        clients.ready(machine)
        entries.wait_for_options(machine, 1)
        machine.sh("cat >/clients/user.py <<'EOF'\n"
                   "import os, runpy, sys\nos.setgroups([]); os.setgid(1000); os.setuid(1000)\n"
                   "sys.argv = ['call.py'] + sys.argv[1:]\nrunpy.run_path('/call.py')\nEOF")
        as_user = "chroot /clients python3 /user.py call io.stillboot."
        status, told = machine.sh(as_user + "ListOptions '{}'", timeout=60, check=False)
        lab.check("a user may list", status == 0 and "Marker" in told, told)
        status, told = machine.sh(as_user + "Boot '{\"option\": \"Marker\"}'", timeout=60, check=False)
        lab.check("a user may not boot", status == 1 and "io.stillboot.PermissionDenied" in told, told)
        machine.sh("cat >/clients/hostile.py <<'EOF'\n"
                   "import socket, time\n"
                   "def connect():\n"
                   "    s = socket.socket(socket.AF_UNIX); s.connect('/run/stillboot/io.stillboot'); return s\n"
                   "half = connect(); half.sendall(b'{\"method\"')\n"
                   "silent = [connect() for _ in range(20)]\n"
                   "deaf = connect()\n"
                   "deaf.sendall(b'{\"method\":\"io.stillboot.Watch\",\"more\":true}\\0')\n"
                   "big = connect()\n"
                   "try:\n"
                   "    for _ in range(1024): big.sendall(b' ' * 1048576)\n"
                   "    print('a gigabyte was taken')\n"
                   "except OSError as refused: print('refused:', refused)\n"
                   "print(half.recv(1))\n"
                   "time.sleep(1000)\nEOF\n"
                   "(chroot /clients python3 -u /hostile.py >/run/hostile 2>&1 &)")
        machine.wait_sh("grep \"^b''\" /run/hostile")
        told = machine.sh("cat /run/hostile")
        lab.check("the gigabyte is refused, and half a message is not waited for", "refused:" in told, told)
        lab.check("others are served as before", "Marker" in clients.call(machine, "ListOptions"))
        memory = machine.sh(f"grep -h VmRSS /proc/{still.DAEMON}/status")
        lab.check("the daemon has not grown", int(re.search(r"(\d+) kB", memory)[1]) < 7000, memory)
        # Nobody here wrote the client that watches, nor the one that boots.
        # What is seen of the boot is told on the console, which outlives that moment.
        machine.sh("(chroot /clients varlinkctl --json=short --timeout=infinity call --more "
                   "/run/stillboot/io.stillboot io.stillboot.Watch '{}' 2>&1 | while read -r line; do "
                   "echo \"$line\" >>/run/watched; case $line in *'\"phase\":\"handover\"'*) "
                   "echo '<1>watched: a hand-over' >/dev/kmsg;; esac; done &)")
        machine.wait_sh("grep '\"whole\":true' /run/watched")
        machine.sh("(chroot /clients varlinkctl --timeout=infinity call --more /run/stillboot/io.stillboot "
                   "io.stillboot.Boot '{\"option\": \"Marker\"}' >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.check("what varlinkctl asked for is booted", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        lab.check("and was seen coming by another", "watched: a hand-over" in machine.console.text,
                  machine.console.text[-3000:])
        machine.wait_off()


def test_boot_a_kernel_by_its_path(lab):
    """a kernel and an initrd that no configuration names are booted by their paths"""
    image = disks.ext4(lab.directory / "files.img", disks.tree(lab.directory / "tree", lab.boot_files()), label="files")
    with lab.machine(disks=[(image, "virtio-blk")], append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh("stillboot devices | grep files")
        status, told = machine.sh("stillboot boot --kernel label=files:/boot/nothing", check=False)
        machine.wait_sh("stillboot status | grep 'the last boot failed'")
        told = machine.sh("stillboot status")
        lab.check("a kernel that is not there is said", status == 0 and "/boot/nothing" in told, told)
        status, told = machine.sh("stillboot boot --kernel http://192.0.2.1/vmlinuz", check=False)
        lab.check("a URL is not in this build", status != 0 and "fetching http://192.0.2.1/vmlinuz is not in this build" in told, told)
        machine.sh("(stillboot boot --kernel label=files:/boot/vmlinuz --initrd /boot/initrd.img "
                   f"--args '{LINE} nonce={lab.nonce}' >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.equal("it is started by kexec, with its initrd and the command line that was given",
                  (said["bootloader_type"], said["cmdline"]), ("208", f"{LINE} nonce={lab.nonce}"))
        machine.wait_off()
