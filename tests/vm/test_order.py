# SPDX-License-Identifier: Apache-2.0
"""The order in which the kernel ran the removes, over random graphs, by the log of a module made for it."""
import pathlib
import re
import secrets

import graphs
import still
from lab import TOP

GRAPHS = 100
TOGETHER = 10  # as many are unbound at once, side by side: a run costs seconds in emulation
WIDE = 8  # devices that nothing holds up, to see them removed at once

# Takes orders of the module and, at each "go", removes, reads the log, and puts everything back.
DRIVE = """while read -r line; do
  case $line in
    go) /test/quiesce-machine only=still_graph run >/tmp/out 2>&1; echo "run $?"
        cat /dev/still_test
        grep -vE '^(done|run:)' /tmp/out
        /test/quiesce-machine undo >/tmp/out 2>&1; echo "undo $?"; grep -v '^undo:' /tmp/out
        echo bound $(ls -d /sys/bus/platform/drivers/still_graph/g* | wc -l)
        echo reset >/dev/still_test; echo next ;;
    *) echo "$line" >/dev/still_test || echo "refused: $line" ;;
  esac
done </test/orders
"""


def wide():
    names = [f"g{number}" for number in range(WIDE)]
    return graphs.Graph(dict.fromkeys(names), [], names, dict.fromkeys(names, 3000), False)


def chained():
    """Four chains of three: each link of a chain once by a parent and once by a device link."""
    rows = [[f"g{row}{place}" for place in range(3)] for row in range(4)]
    parents = {name: None for row in rows for name in row} | {row[1]: row[0] for row in rows}
    names = [name for row in rows for name in row]
    return graphs.Graph(parents, [(row[2], row[1]) for row in rows], names, dict.fromkeys(names, 1000), False)


def asserted(batch, text):
    """Of one run: the complaints, and when each remove began and ended."""
    log = re.findall(r"^(?:begin|end) \S+ \d+$", text, re.MULTILINE)
    removed = graphs.spans("\n".join(log))
    devices = [name for graph in batch for name in graph.parents]
    said = [line for line in text.splitlines() if line not in set(log)]
    problems = []
    if said != ["run 0", "undo 0", f"bound {len(devices)}"]:
        problems.append(f"it said {said}")
    if sorted(removed) != sorted(devices) or len(log) != 2 * len(removed):
        problems.append(f"removed were {sorted(removed)} of {sorted(devices)}, by {len(log)} lines")
    else:
        problems += [f"{later} began before {first} had ended"
                     for graph in batch for first, later in graphs.violations(graph.edges, removed)]
    return problems, removed


def remove_all(lab, suite, batches, disks=(), then=None):
    """Answers with when each remove began and ended, for each batch, or with nothing where a check failed.

    then: what is done in the same machine afterwards."""
    orders = "".join("\n".join([line for graph in batch for line in graph.orders()] + ["go"]) + "\n" for batch in batches)
    initrd = lab.module_initrd("true\n", suite=suite, files=still.RULES | {
        "/test/quiesce-machine": TOP / "build/tests/quiesce/quiesce-machine", "/test/orders": orders,
        "/test/drive": DRIVE})
    with lab.machine(disks=disks, kernel=lab.firmware(suite)[0], initrd=initrd, append="stillboot.timeout=never",
                     limit=300) as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh("[ -e /dev/still_test ]")
        machine.settle()  # a driver that comes while nothing may bind finds its devices only when asked to
        lab.say("the machine is up")
        text = machine.sh("chmod +x /test/quiesce-machine; sh /test/drive", timeout=120)
        if then:
            then(machine)
    (lab.directory / "removes").write_text(text)
    runs = text.split("next\n")[:-1]
    lab.equal("every graph was driven", len(runs), len(batches))
    judged = [asserted(batch, said) for batch, said in zip(batches, runs)]
    wrong = [problem for problems, _ in judged for problem in problems]
    tried = [graph for batch in batches for graph in batch]
    lab.check(f"{len(tried)} graphs of {sum(len(graph.parents) for graph in tried)} devices and "
              f"{sum(len(graph.edges) for graph in tried)} edges were removed in order and put back",
              not wrong, "\n".join(wrong[:20]))
    return [] if wrong else [removed for _, removed in judged]


def check_overlap(lab, batches, removed):
    # How many workers have begun before the first one's device has gone is the machine's to say.
    for name, number, wanted in (("independent", 0, WIDE // 2), ("of chains", 1, 2)):
        graph, spans = batches[number][0], removed[number]
        together = graphs.overlapping(list(graph.parents), spans)
        lab.check(f"of the removes {name} at least {wanted} are under way together", together >= wanted, str(together))
        took, alone = graphs.whole(spans), sum(graph.milliseconds.values())
        lab.check(f"{name}, all take less than half the time of one after the other", took < alone / 2,
                  f"{took:.0f} ms of {alone} ms")
    pairs = [(graph, spans) for batch, spans in zip(batches[2:], removed[2:]) for graph in batch
             if sum(graph.milliseconds[name] >= 60 for name in graph.free) >= 2]
    together = sum(graphs.overlapping(graph.free, spans) >= 2 for graph, spans in pairs)
    lab.check("so are some of the random graphs' that nothing holds up", pairs and together > len(pairs) / 10,
              f"{together} of {len(pairs)}")
    # What finds nothing in a log read backwards would find nothing at all.
    edges = batches[1][0].edges
    backwards = {name: (-end, -begin) for name, (begin, end) in removed[1].items()}
    lab.equal("the order read backwards is wrong at every edge", sorted(graphs.violations(edges, backwards)), sorted(edges))


def test_random_graphs(lab):
    """the kernel ran the removes of a hundred random graphs in order, and independent ones together"""
    seed = secrets.randbits(32)
    lab.say(f"the graphs are those of seed {seed} and the {GRAPHS - 1} that follow")
    tried = [graphs.make(seed + number, f"g{number}-") for number in range(GRAPHS)]
    batches = [[wide()], [chained()]] + [tried[first:first + TOGETHER] for first in range(0, GRAPHS, TOGETHER)]
    removed = remove_all(lab, "bookworm", batches)
    if removed:
        check_overlap(lab, batches, removed)


def test_newer_kernel(lab):
    """on Debian 13's kernel the removes of random graphs run in order too, and a whole hand-over lets go of such devices"""
    seed = secrets.randbits(32)
    lab.say(f"the graphs are those of seed {seed} and the {TOGETHER - 1} that follow")
    target = still.grub_entry(lab, {"/boot/vmlinuz": pathlib.Path(lab.firmware("trixie")[0])})

    def hand_over(machine):
        machine.sh(still.setup_of(("first", "still-first", "plain", 200), ("second", "still-second", "plain", 200)))
        still.wait_for_entry(machine)
        machine.sh("dmesg -n 7; (stillboot boot 'the wanted one' >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        removed = re.findall(r"still_test: (begin|end) (first|second)", machine.console.text)
        lab.equal("the kernel ran both removes to their ends", sorted(removed),
                  [("begin", "first"), ("begin", "second"), ("end", "first"), ("end", "second")])
        lab.check("the next kernel is Debian 13's", re.match(r"6\.1[2-9]\.", said["release"]), said["release"])
        lab.equal("kexec started it", said["bootloader_type"], "208")
        lab.check("with the entry's command line", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()

    remove_all(lab, "trixie", [[graphs.make(seed + number, f"g{number}-") for number in range(TOGETHER)]],
               [(target, "nvme")], hand_over)
