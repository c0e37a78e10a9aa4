# SPDX-License-Identifier: Apache-2.0
# The message catalogue against its use: every code once, every code used, parameters as the sentence has them.
import re
from pathlib import Path

from includes import sources

ENTRY = re.compile(r'^\{"([a-z0-9_]+\.[a-z0-9_]+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\},$', re.MULTILINE)
PLACEHOLDER = re.compile(r"\{([a-z0-9_]*)\}")
LITERAL = re.compile(r'"([a-z0-9]+\.[a-z0-9_]+)"')
CALL = re.compile(r'\b(Message|Error|from_errno)\s*\(')
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')

# Keys of settings that look like codes of a room.
NOT_CODES = {"probe.parallel", "probe.deadline", "hook.on_moving", "hook.on_hang", "hook.budget"}


def read_catalogue(root: Path):
    """({code: set of placeholder names}, problems)"""
    codes, problems = {}, []
    for path in sorted((root / "config/base/catalogue").glob("*.inc")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(root).as_posix()
        entries = ENTRY.findall(text)
        if len(entries) != len(re.findall(r'^\{"', text, re.MULTILINE)):
            problems.append(f"{name}: an entry is not written as {{\"code\", \"sentence\"}},")
        for code, sentence in entries:
            if code in codes:
                problems.append(f"{name}: {code} stands in the catalogue twice")
            if code.split(".")[0] != path.stem:
                problems.append(f"{name}: {code} belongs to another room's file")
            codes[code] = set(PLACEHOLDER.findall(sentence))
    return codes, problems


def arguments_of(text, start):
    """The text between the parenthesis at start and the one that closes it; what is in strings does not count."""
    depth, at = 0, start
    while at < len(text):
        if text[at] == '"':
            at = (STRING.match(text, at) or re.compile('"').match(text, at)).end()
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return text[start + 1:at], at + 1
        at += 1
    return text[start + 1:], at


def without_nested_calls(arguments):
    """The arguments, less what stands in nested parentheses: a Message within a Message has its own parameters."""
    out, depth, at = [], 0, 0
    while at < len(arguments):
        if arguments[at] == '"':
            end = (STRING.match(arguments, at) or re.compile('"').match(arguments, at)).end()
            out.append(arguments[at:end] if depth == 0 else "")
            at = end
            continue
        depth += {"(": 1, ")": -1}.get(arguments[at], 0)
        out.append(arguments[at] if depth == 0 else "")
        at += 1
    return "".join(out)


def without_comments(text):
    """The text with its line comments blanked, so that lines keep their numbers."""
    return re.sub(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*', lambda match: match[1] or "", text)


def call_problem(codes, later, call, text, open_at):
    arguments, _ = arguments_of(text, open_at)
    flat = without_nested_calls(arguments).strip()
    shape = re.match(r'(?:[\w.>\-]+\s*,\s*)?"([a-z0-9]+\.[a-z0-9_]+)"\s*(?:,\s*(\{.*\})\s*(?:,.*)?)?$', flat, re.DOTALL)
    if not shape:
        return None  # a code from elsewhere: only the literal itself is checked
    code = shape[1]
    if code not in codes:
        return f"{code} is not in the catalogue"
    given = set(re.findall(r'\{\s*"([a-z0-9_]+)"\s*,', shape[2] or ""))
    given |= {"errno"} if call == "from_errno" else set()
    missing = codes[code] - given - later
    if missing:
        return f"{code} is not given {', '.join(sorted(missing))}"
    extra = given - codes[code]
    if extra:
        return f"{code} has no place for {', '.join(sorted(extra))}"
    return None


def folder_of(name):
    return name.rsplit("/", 1)[0]


def violations(root: Path):
    """One line for each code that is unknown, unused, double, or given other parameters than its sentence has."""
    codes, found = read_catalogue(root)
    files = [(name, without_comments(text)) for name, text in sources(root) if not name.endswith(".inc")]
    # What a folder adds to messages that were made elsewhere in it.
    later = {}
    for name, text in files:
        later.setdefault(folder_of(name), set()).update(re.findall(r'\.with\(\{\s*"([a-z0-9_]+)"', text))
    rooms = {code.split(".")[0] for code in codes}
    used = set()
    for name, text in files:
        for match in LITERAL.finditer(text):
            code = match[1]
            if code in codes:
                used.add(code)
            elif code.split(".")[0] in rooms and code not in NOT_CODES:
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{name}:{line}: {code} is not in the catalogue")
        for match in CALL.finditer(text):
            problem = call_problem(codes, later[folder_of(name)], match[1], text, match.end() - 1)
            if problem and not problem.endswith("is not in the catalogue"):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{name}:{line}: {problem}")
    found += [f"config/base/catalogue: {code} is used nowhere" for code in sorted(set(codes) - used)]
    return found
