#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the reference of a varlink interface into a man page: interface_page.py PAGE.scd INTERFACE.varlink

The lines @roles@, @methods@, @types@ and @errors@ of the page are replaced by what the interface says of each, in its
order; the words are the comment before each member. A member without a comment, a method without a role and a page
without one of the four lines end it with an error. The page is scdoc's.
"""
import re
import sys
from pathlib import Path

ROLES = ("look", "boot", "configure", "all")
MEMBER = re.compile(r"((?:^#.*\n)*)^(method|type|error) (\w+)\s*(\((?:[^()]|\([^()]*\))*\))"
                    r"(?:\s*->\s*(\((?:[^()]|\([^()]*\))*\)))?", re.MULTILINE)


class Member:
    """One method, type or error: its name, what it takes or holds, what it answers, its words and its role."""

    def __init__(self, comment, kind, name, takes, answers):
        self.kind, self.name, self.takes, self.answers = kind, name, takes, answers
        words = " ".join(line.lstrip("# ").rstrip() for line in comment.splitlines())
        role, self.text = re.fullmatch(r"(?:Role: (\w+)\. ?)?(.*)", words).groups()
        self.role = role
        if not self.text:
            raise ValueError(f"{kind} {name} has no comment in front of it")
        if kind == "method" and role not in ROLES:
            raise ValueError(f"the comment of method {name} does not begin with a role, such as: Role: look.")


def members_of(text):
    """The members of an interface; ValueError where one lacks its words, or a line is none of them."""
    members = [Member(*match.groups()) for match in MEMBER.finditer(text)]
    declared = re.findall(r"^(?:method|type|error) (\w+)", text, re.MULTILINE)
    if declared != [member.name for member in members]:
        raise ValueError(f"not understood: {sorted(set(declared) - {member.name for member in members})}")
    return members


def escaped(text):
    """Text that scdoc takes as it is."""
    return re.sub(r"([\\_*`~<])", r"\\\1", text)


def one_line(parameters):
    return re.sub(r"\s+", " ", parameters).replace("( ", "(").replace(" )", ")")


def roles(members):
    lines = []
    for role in ROLES:
        names = ", ".join(each.name for each in members if each.role == role)
        lines += [f"*{role}*", f"\t{'' if role == ROLES[0] else 'and '}{names}", ""]
    return lines


def method(member):
    return [f"*{member.name}*{escaped(one_line(member.takes))} -> {escaped(one_line(member.answers))}",
            f"\t{escaped(member.text)} Needs the role {member.role}.", ""]


def type_or_error(member):
    return [f"*{member.name}*{escaped(one_line(member.takes))}", f"\t{escaped(member.text)}", ""]


def page_of(page, interface):
    """The page with its four lines replaced. ValueError says what is wrong with the page or the interface."""
    members = members_of(interface)
    parts = {"@roles@": roles(members)}
    for kind, form in (("method", method), ("type", type_or_error), ("error", type_or_error)):
        parts[f"@{kind}s@"] = [line for each in members if each.kind == kind for line in form(each)]
    lines = page.splitlines()
    for place, part in parts.items():
        if lines.count(place) != 1:
            raise ValueError(f"the page does not have the line {place} once")
        at = lines.index(place)
        lines[at:at + 1] = part[:-1]
    return "\n".join(lines) + "\n"


def main():
    page, interface = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:])
    try:
        sys.stdout.write(page_of(page, interface))
    except ValueError as wrong:
        sys.exit(f"{sys.argv[2]}: {wrong}")


if __name__ == "__main__":
    main()
