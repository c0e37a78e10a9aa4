# SPDX-License-Identifier: Apache-2.0
"""The menu on serial consoles, as a person at a terminal sees and uses it."""
import disks


def grub_cfg(nonce):
    return f"""set timeout=5
menuentry 'First system' {{
    linux /boot/vmlinuz console=ttyS0 no_timer_check quiet panic=-1 nonce={nonce}-first
    initrd /boot/initrd.img
}}
menuentry 'Zweites System: Größe' {{
    linux /boot/vmlinuz console=ttyS0 no_timer_check quiet panic=-1 nonce={nonce}-second
    initrd /boot/initrd.img
}}
"""


def highlighted(machine):
    """The text of the lines that are shown in reverse, the bars at the top and the bottom left out."""
    cells = machine.console.cells()
    lines = []
    for row in range(1, cells.lines - 1):
        marked = "".join(cells.buffer[row][column].data for column in range(cells.columns)
                         if cells.buffer[row][column].reverse)
        if marked.strip():
            lines.append(marked.strip())
    return lines


def shell_on(line):
    """The shell key; the shell itself is waited for, since what is typed before it is thrown away."""
    line.send("s")
    line.wait_screen(r"(?m)^\S* #$")


def test_menu_edits_a_command_line(lab):
    """menus on two consoles: each shows what the other does, and an entry edited in one is what the next kernel shows"""
    files = lab.boot_files()
    files["/boot/grub/grub.cfg"] = grub_cfg(lab.nonce)
    image = disks.ext4(lab.directory / "root.img", disks.tree(lab.directory / "tree", files), label="system")
    # Of two serial lines the kernel itself writes to the first alone.
    with lab.machine(disks=[(image, "nvme")], append="stillboot.timeout=120", shell=False,
                     console="console=ttyS0 no_timer_check console=ttyS1 quiet panic=-1") as machine:
        console, second = machine.console, machine.second_console
        # Each wait is for all that is asserted: a screen may be read while the line still draws it.
        for line in (console, second):
            line.wait_screen(r"First system starts in \d+ seconds\.\n +Press any key to stop this(.*\n){20,}.* Edit ",
                             timeout=120)
        lab.check("at first sight both screens say what happens, when, which key prevents it, "
                  "and which keys do more", True)
        lab.directory.joinpath("menu.screen").write_text("\n".join(console.screen()))
        second.send("\x1b[B")
        for line in (second, console):
            line.wait_screen(r"Nothing starts by itself")
        lab.check("a key on one console stops the countdown on both", True)
        shell_on(second)
        second.send("tty; echo '<1>the kernel writes over it' >/dev/kmsg\n")
        second.expect(r"/dev/ttyS1\r")
        lab.check("the shell key gives a shell on that console", True)
        console.expect("the kernel writes over it", timeout=30)
        console.wait_screen(r"^ Stillboot (?!(.*\n)*.*the kernel writes over it)(.*\n){20,}.* Edit ", timeout=30)
        lab.check("what the kernel writes over the menu is drawn over", True)
        second.send("exit\n")
        second.wait_screen(r"^ Stillboot (.*\n)+.*Nothing starts by itself(.*\n){10,}.* Edit ")
        lab.check("the shell's end gives the menu back", True)
        console.send("\x1b[B")
        console.wait_until(lambda: any("Zweites" in line for line in highlighted(machine)), "the second is highlighted")
        lab.equal("the second entry alone is highlighted", len(highlighted(machine)), 1)
        console.send("d")
        console.wait_screen(r"/boot/grub/grub\.cfg, line 6", timeout=30)
        lab.check("the details say in which file and line the entry is written", True)
        console.send("\x1b")
        console.wait_screen(r"Nothing starts by itself", timeout=30)
        console.send("e")
        console.wait_screen(rf"nonce={lab.nonce}-second", timeout=30)
        console.send("\x05 edited=by-hand\r")  # Ctrl-E: to the end of the line
        second.expect(r"hands over to .*Zweites System: Größe")
        second.expect(r"unbind \d+/\d+: ")
        lab.check("the other console shows the entry's start and the devices that are brought to rest", True)
        said = machine.wait_marker()
        lab.equal("kexec started the next kernel", said["bootloader_type"], "208")
        lab.equal("the next kernel has the edited command line", said["cmdline"],
                  f"console=ttyS0 no_timer_check quiet panic=-1 nonce={lab.nonce}-second edited=by-hand")
        machine.wait_off()
