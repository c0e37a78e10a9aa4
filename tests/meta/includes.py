# SPDX-License-Identifier: Apache-2.0
# Which folder may include which: read from the #include lines of the sources.
import re
from pathlib import Path

CONFIG = ("config/base", "config/model")
CONFIG_ALL = CONFIG + ("config/parse", "config/resolve")

# A file belongs to the longest folder here that holds it. A folder may always include itself.
ALLOWED = {
    "config/base": (),
    "config/model": ("config/base",),
    "config/parse": CONFIG,
    # Apart from the other formats, for the devices' room reads its policy with it and nothing else of them.
    "config/parse/rules": CONFIG + ("config/parse",),
    "config/resolve": CONFIG,
    "quiesce": CONFIG + ("config/parse/rules",),
    "kexec": CONFIG,
    "kexec/handover": CONFIG + ("kexec", "quiesce"),
    # A program of its own, which composes what it needs.
    "kexec/hook": CONFIG_ALL + ("kexec", "kexec/handover", "quiesce"),
    "daemon": CONFIG_ALL + ("kexec", "kexec/handover", "quiesce", "daemon/loop", "daemon/protocol",
                            "daemon/client", "daemon/probe", "daemon/handover", "daemon/tls", "daemon/password"),
    # The ports of production are composed here once, for the daemon and for the command line.
    "daemon/handover": CONFIG_ALL + ("kexec", "kexec/handover", "quiesce", "daemon", "daemon/loop",
                                     "daemon/protocol", "daemon/probe"),
    "daemon/loop": CONFIG,
    "daemon/protocol": CONFIG,
    # What differs with libssl, and the keys that it makes.
    "daemon/tls": CONFIG + ("daemon/protocol", "daemon/loop"),
    "daemon/client": CONFIG + ("daemon/protocol", "daemon/loop", "daemon/tls"),
    # The helpers must not carry the daemon along.
    "daemon/probe": CONFIG_ALL + ("daemon/protocol", "daemon/loop"),
    # A setting is checked as it is typed, by the table that the daemon has.
    # What the daemon and the command line ask of the helper that knows libcrypt.
    "daemon/password": CONFIG + ("daemon/loop", "daemon/probe"),
    "ui/menu": CONFIG + ("config/parse", "daemon/protocol", "daemon/client", "daemon/loop"),
    "ui/cli": CONFIG_ALL + ("kexec", "kexec/handover", "quiesce", "daemon/loop", "daemon/protocol",
                            "daemon/client", "daemon/probe", "daemon/handover", "daemon/tls", "daemon/password", "ui/menu"),
}

# Libraries that only some folders may know.
LIBRARIES = {
    "boost/asio": ("daemon", "daemon/handover", "daemon/loop", "daemon/client", "daemon/probe", "daemon/tls",
                   "daemon/password",
                   "ui/menu", "ui/cli"),
    "openssl/": ("daemon/tls",),
    "crypt.h": ("daemon/password",),
    # config/base only compiles it, once for all.
    "boost/json": ("config/base", "quiesce", "kexec/handover", "daemon", "daemon/loop", "daemon/protocol", "daemon/client",
                   "daemon/probe", "ui/menu", "ui/cli"),
    "toml++/": ("config/parse",),
    "CLI/": ("ui/cli",),
    "curl/": ("daemon/probe",),
    "libudev.h": ("daemon", "daemon/probe"),
    "ncurses": ("ui/menu",),
    "curses.h": ("ui/menu",),
}

SUFFIXES = (".cpp", ".hpp", ".inc", ".in", ".c", ".h")
TOPS = ("config", "quiesce", "kexec", "daemon", "ui")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def room_of(path):
    """The folder of the table that a path belongs to, or None."""
    best = None
    for room in ALLOWED:
        if path.startswith(room + "/") and (best is None or len(room) > len(best)):
            best = room
    return best


def sources(root):
    for top in TOPS:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def quoted_include_problem(room, target):
    other = room_of(target)
    if other is None:
        return f'"{target}" is in no room: include by the full path'
    if other != room and other not in ALLOWED[room]:
        return f"{room} may not include {other} (\"{target}\")"
    return None


def library_problem(room, target):
    for library, rooms in LIBRARIES.items():
        if target.startswith(library) and room not in rooms:
            return f"{room} may not use <{target}>"
    return None


def violations(root: Path):
    """One line for each forbidden #include: "file:line: why"."""
    found = []
    for name, text in sources(root):
        room = room_of(name)
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            if room is None:
                problem = "this folder is not in the table of tests/meta/includes.py"
            elif match[1] == '"':
                problem = quoted_include_problem(room, match[2])
            else:
                problem = library_problem(room, match[2])
            if problem:
                found.append(f"{name}:{line}: {problem}")
    return found


def folder_cycle(root: Path):
    """A cycle among the single folders, as a list of their names, or []. The table cannot see those inside a room.
    A folder may use what the folder around it holds for all of its kind (config/parse/file_source.hpp)."""
    edges = {}
    for name, text in sources(root):
        folder = name.rsplit("/", 1)[0]
        for quote, target in INCLUDE.findall(text):
            other = target.rsplit("/", 1)[0]
            inside = (folder + "/").startswith(other + "/")
            if quote == '"' and not inside and not target.endswith(".inc"):
                edges.setdefault(folder, set()).add(other)
    done = set()

    def walk(folder, trail):
        if folder in trail:
            return trail[trail.index(folder):] + [folder]
        if folder in done:
            return []
        for other in sorted(edges.get(folder, ())):
            cycle = walk(other, trail + [folder])
            if cycle:
                return cycle
        done.add(folder)
        return []

    for folder in sorted(edges):
        cycle = walk(folder, [])
        if cycle:
            return cycle
    return []
