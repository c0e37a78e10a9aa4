#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# What docs/interface_page.py makes of an interface, and of ours: interface_page_test.py DOCS PAGE INTERFACE
import re
import subprocess
import sys
import unittest
from pathlib import Path

DOCS, PAGE, INTERFACE = (Path(argument) for argument in sys.argv[1:4])
sys.path.insert(0, str(DOCS))
from interface_page import page_of  # noqa: E402

SMALL_PAGE = "x(7)\n\n@roles@\n\n@methods@\n\n@types@\n\n@errors@\n"
SMALL = """# About.
interface a.b

# A pair.
type Pair (
  left: int,
  some_right: (x, y)
)

# Role: boot. Does *it*,
# twice.
method Do(what: ?Pair) -> (done: []string)

# It cannot.
error Not (why: string)
"""


class Small(unittest.TestCase):
    """One member of each kind, and each way to leave one without its words."""

    def test_each_member_with_its_words(self):
        self.assertEqual(page_of(SMALL_PAGE, SMALL).splitlines()[2:],
                         ["*look*", "\t", "", "*boot*", "\tand Do", "", "*configure*", "\tand ", "", "*all*", "\tand ", "",
                          "*Do*(what: ?Pair) -> (done: []string)", "\tDoes \\*it\\*, twice. Needs the role boot.", "",
                          "*Pair*(left: int, some\\_right: (x, y))", "\tA pair.", "",
                          "*Not*(why: string)", "\tIt cannot."])

    def wrong(self, *change, page=SMALL_PAGE):
        with self.assertRaises(ValueError) as raised:
            page_of(page, SMALL.replace(*change))
        return str(raised.exception)

    def test_a_member_without_words_is_refused(self):
        self.assertEqual(self.wrong("# A pair.\n", ""), "type Pair has no comment in front of it")
        self.assertEqual(self.wrong("# It cannot.\n", ""), "error Not has no comment in front of it")

    def test_words_that_are_apart_from_their_member_are_not_its(self):
        self.assertEqual(self.wrong("# A pair.\n", "# A pair.\n\n"), "type Pair has no comment in front of it")

    def test_a_method_without_a_role_is_refused(self):
        for instead in ("# ", "# Role: owner. "):
            self.assertEqual(self.wrong("# Role: boot. ", instead),
                             "the comment of method Do does not begin with a role, such as: Role: look.")

    def test_a_member_that_cannot_be_read_is_named(self):
        self.assertEqual(self.wrong("error Not (why: string)", "error Not"), "not understood: ['Not']")

    def test_a_page_must_have_a_place_for_each_part(self):
        self.assertEqual(self.wrong("", "", page=SMALL_PAGE.replace("@types@", "")),
                         "the page does not have the line @types@ once")


class Ours(unittest.TestCase):
    """The page as it is built."""

    def test_every_method_type_and_error_stands_in_the_page(self):
        interface = INTERFACE.read_text(encoding="utf-8")
        page = page_of(PAGE.read_text(encoding="utf-8"), interface)
        names = re.findall(r"^(?:method|type|error) (\w+)", interface, re.MULTILINE)
        self.assertGreater(len(names), 40)
        for name in names:
            self.assertEqual(len(re.findall(rf"^\*{name}\*\(.*\n\t\S", page, re.MULTILINE)), 1, name)

    def test_the_program_says_what_is_wrong_and_fails(self):
        ran = subprocess.run([DOCS / "interface_page.py", INTERFACE, INTERFACE], capture_output=True, text=True, check=False)
        self.assertEqual(ran.returncode, 1)
        self.assertEqual(ran.stderr, f"{INTERFACE}: the page does not have the line @roles@ once\n")


if __name__ == "__main__":
    sys.exit(unittest.main(argv=sys.argv[:1]))
