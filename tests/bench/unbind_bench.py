#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole unbinding, from reading the machine to the last remove, of devices whose removes take a second each, in a
machine in software emulation; beside it the slowest chain, which nothing can beat, and one after the other.

usage: unbind_bench.py [ROUNDS]
"""
import re
import statistics
import sys
import tempfile

from machines import TOP
import graphs
import lab

SECOND = 1000
TARGETS = {1: 2000, 4: 5500}  # milliseconds, by the length of the chains
NICS = ["e1000", "e1000e", "rtl8139", "pcnet", "vmxnet3", "i82559er", "tulip", "virtio-net-pci"]
NIC_DRIVERS = ["e1000", "e1000e", "8139cp", "8139too", "pcnet32", "vmxnet3", "e100", "tulip", "virtio_net",
               "virtio-pci"]


def independent(count):
    names = [f"g{number}" for number in range(count)]
    return graphs.Graph(dict.fromkeys(names), [], names, dict.fromkeys(names, SECOND), False)


def chains(count, length):
    """Each device hangs on the one before it in its chain."""
    rows = [[f"g{row}-{place}" for place in range(length)] for row in range(count)]
    parents = {name: (row[place - 1] if place else None) for row in rows for place, name in enumerate(row)}
    return graphs.Graph(parents, [], list(parents), dict.fromkeys(parents, SECOND), False)


def order(machine, lines):
    text = "\n".join(lines)
    machine.sh(f"while read -r line; do echo $line >/dev/still_test; done <<'END'\n{text}\nEND", timeout=120)


def measure(machine, graph, drivers):
    """Milliseconds: (the whole run, from the first remove of the test's devices to the end of the last)."""
    order(machine, graph.orders())
    said = machine.sh(f"/test/quiesce-machine only={','.join([graphs.DRIVER, *drivers])} run", timeout=200)
    removed = graphs.spans(machine.sh("cat /dev/still_test"))
    assert len(removed) == len(graph.parents), said
    machine.sh("/test/quiesce-machine undo", timeout=300)
    order(machine, ["reset"])
    return (int(re.search(r"run: 0 after (\d+) ms", said)[1]),
            max(end for _, end in removed.values()) - min(begin for begin, _ in removed.values()))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    cases = [(f"{what}{' and ' + str(len(NICS)) + ' network cards' if drivers else ''}", graph, drivers)
             for drivers in ([], NIC_DRIVERS)
             for what, graph in (("64 independent", independent(64)), ("16 chains of 4", chains(16, 4)))]
    missed = False
    with tempfile.TemporaryDirectory(prefix="stillboot-bench-") as directory:
        room = lab.Lab(directory)
        arguments = [word for number, model in enumerate(NICS) for word in
                     ("-netdev", f"user,id=net{number},restrict=on", "-device", f"{model},netdev=net{number},romfile=")]
        initrd = room.module_initrd("chmod +x /test/quiesce-machine\n", files={
            "/test/quiesce-machine": TOP / "build/tests/quiesce/quiesce-machine"})
        with room.machine(kernel=room.firmware()[0], initrd=initrd, arguments=arguments, limit=900,
                          append="stillboot.timeout=never") as machine:
            machine.sh("true", timeout=90)
            machine.settle()
            machine.wait_sh(f"[ $(ls -d /sys/class/net/*/device | wc -l) = {len(NICS)} ]")
            machine.settle()
            print(f"Milliseconds, median of {rounds}, {SECOND} a remove\n")
            print(f"  {'':40}{'one by one':>12}{'slowest chain':>15}{'target':>9}{'removes':>9}{'whole run':>11}")
            for name, graph, drivers in cases:
                runs = [measure(machine, graph, drivers) for _ in range(rounds)]
                whole, removes = (round(statistics.median(column)) for column in zip(*runs))
                target = "" if drivers else TARGETS[graph.longest_chain() // SECOND]
                print(f"  {name:40}{sum(graph.milliseconds.values()):>12}{graph.longest_chain():>15}{target:>9}"
                      f"{removes:>9}{whole:>11}{'  MISSED' if target and whole > target else ''}", flush=True)
                missed = missed or bool(target and whole > target)
    return 1 if missed else 0


sys.exit(main())
