# SPDX-License-Identifier: Apache-2.0
"""Random graphs of devices for the test module (module/still_test.c), and what its log says of their removes."""
import dataclasses
import random

DRIVER = "still_graph"


@dataclasses.dataclass
class Graph:
    """parents: device -> the one it hangs on; links: (consumer, supplier); bind_order: all devices."""
    parents: dict
    links: list
    bind_order: list
    milliseconds: dict
    links_first: bool

    @property
    def edges(self):
        """(what must be removed first, what must wait for it)."""
        return [(child, parent) for child, parent in self.parents.items() if parent] + self.links

    @property
    def free(self):
        """The devices that nothing stands on: their removes wait for nobody."""
        waiting = {later for _, later in self.edges}
        return [name for name in self.bind_order if name not in waiting]

    def longest_chain(self):
        """The milliseconds of the removes that must follow each other."""
        total = {}

        def below(name):
            if name not in total:
                total[name] = self.milliseconds[name] + max(
                    (below(first) for first, later in self.edges if later == name), default=0)
            return total[name]

        return max(map(below, self.bind_order))

    def orders(self):
        """What is written to the module's control file, a line each."""
        lines = [f"add {name} {DRIVER} {parent or '-'} {self.milliseconds[name]} plain"
                 for name, parent in self.parents.items()]
        binds = [f"bind {name}" for name in self.bind_order]
        links = [f"link {consumer} {supplier}" for consumer, supplier in self.links]
        return lines + (links + binds if self.links_first else binds + links)


def make(seed, prefix, most=14):
    """A graph without circles; the same seed gives the same one. Its devices are called by the prefix and a number.

    Half of them bind in an order that has nothing to do with parents and links, as manual binds do: the links are then
    made between bound devices, since the kernel would put off a consumer whose supplier is not bound.
    """
    dice = random.Random(seed)
    names = [f"{prefix}{number}" for number in range(dice.randint(2, most))]
    dice.shuffle(names)  # so that no order of names is the right one by chance
    parents, links = {}, []
    for place, name in enumerate(names):
        parents[name] = dice.choice(names[:place]) if place and dice.random() < 0.5 else None
    for place, name in enumerate(names[1:], 1):
        for supplier in dice.sample(names[:place], min(place, dice.choice([0, 0, 1, 1, 2]))):
            if supplier != parents[name]:
                links.append((name, supplier))
    bind_order = list(names)
    links_first = dice.random() < 0.5
    if not links_first:
        dice.shuffle(bind_order)
    milliseconds = {name: dice.choice([0, 5, 20, 60]) for name in names}
    return Graph(parents, links, bind_order, milliseconds, links_first)


def spans(log):
    """name -> (when its remove began, when it ended) in milliseconds, from the module's log."""
    begun, ended = {}, {}
    for line in log.splitlines():
        what, name, nanoseconds = line.split()
        (begun if what == "begin" else ended)[name] = int(nanoseconds) / 1e6
    return {name: (begun[name], ended[name]) for name in begun if name in ended}


def violations(edges, removed):
    """The edges whose second remove began before the first one had ended."""
    return [(first, later) for first, later in edges if removed[later][0] < removed[first][1]]


def whole(removed):
    """The milliseconds from the first begin to the last end."""
    return max(end for _, end in removed.values()) - min(begin for begin, _ in removed.values())


def overlapping(names, removed):
    """The most removes of these that were under way at one time."""
    return max(sum(removed[other][0] <= removed[name][0] < removed[other][1] for other in names) for name in names)
