#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# The rules of the house that a machine can check, that each check finds a planted violation, and that the tests leave room.
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import catalogue
import includes
import opening

ROOT = Path(os.environ.get("SOURCE_ROOT", Path(__file__).resolve().parents[2]))


class House(unittest.TestCase):
    """The sources as they are."""

    maxDiff = None

    def test_folders_include_only_what_they_may(self):
        self.assertEqual(includes.violations(ROOT), [])

    def test_folders_form_no_cycle(self):
        self.assertEqual(includes.folder_cycle(ROOT), [])

    def test_the_catalogue_and_its_use_agree(self):
        self.assertEqual(catalogue.violations(ROOT), [])

    def test_every_file_opens_with_licence_and_purpose(self):
        self.assertEqual(opening.violations(ROOT), [])


class Planted(unittest.TestCase):
    """The checks themselves, on a small tree with one fault each."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = Path(self.directory.name)
        self.addCleanup(self.directory.cleanup)
        self.file("config/base/catalogue/base.inc", '{"base.lost", "{path} is lost: {errno}"},\n')
        self.file("config/base/a.cpp", 'auto e = Error::from_errno(errno, "base.lost", {{"path", path}});\n')

    def file(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test_the_small_tree_is_clean(self):
        self.file("config/model/m.hpp", '#include "config/base/a.hpp"\n#include <string>\n')
        self.assertEqual(includes.violations(self.root), [])
        self.assertEqual(catalogue.violations(self.root), [])

    def test_a_forbidden_edge_is_found(self):
        self.file("config/parse/p.cpp", '\n#include "quiesce/plan.hpp"\n')
        self.assertEqual(includes.violations(self.root),
                         ['config/parse/p.cpp:2: config/parse may not include quiesce ("quiesce/plan.hpp")'])

    def test_the_menu_may_not_reach_past_the_protocol(self):
        self.file("ui/menu/m.cpp", '#include "kexec/load.hpp"\n#include "daemon/registry/r.hpp"\n')
        self.assertEqual(len(includes.violations(self.root)), 2)

    def test_handover_is_a_room_of_its_own(self):
        self.file("kexec/handover/h.cpp", '#include "quiesce/plan.hpp"\n#include "kexec/load.hpp"\n')
        self.assertEqual(includes.violations(self.root), [])
        self.file("kexec/k.cpp", '#include "kexec/handover/h.hpp"\n')
        self.assertEqual(len(includes.violations(self.root)), 1)

    def test_an_include_without_its_folder_is_found(self):
        self.file("config/base/b.cpp", '#include "a.hpp"\n')
        self.assertEqual(includes.violations(self.root),
                         ['config/base/b.cpp:1: "a.hpp" is in no room: include by the full path'])

    def test_a_library_in_the_wrong_room_is_found(self):
        self.file("config/base/b.cpp", "#include <boost/asio.hpp>\n")
        self.assertEqual(includes.violations(self.root), ["config/base/b.cpp:1: config/base may not use <boost/asio.hpp>"])

    def test_a_cycle_inside_a_room_is_found(self):
        self.file("daemon/registry/r.hpp", '#include "daemon/policy/p.hpp"\n')
        self.assertEqual(includes.folder_cycle(self.root), [])
        self.file("daemon/policy/p.hpp", '#include "daemon/registry/r.hpp"\n')
        self.assertEqual(includes.folder_cycle(self.root), ["daemon/policy", "daemon/registry", "daemon/policy"])

    def test_an_unknown_code_is_found(self):
        self.file("config/base/b.cpp", 'auto m = Message("base.new_thing");\n')
        self.assertEqual(catalogue.violations(self.root), ["config/base/b.cpp:1: base.new_thing is not in the catalogue"])

    def test_an_unused_and_a_double_code_are_found(self):
        self.file("config/base/catalogue/base.inc", '{"base.lost", "{path}: {errno}"},\n' * 2 + '{"base.idle", "x"},\n')
        self.assertEqual(catalogue.violations(self.root),
                         ["config/base/catalogue/base.inc: base.lost stands in the catalogue twice",
                          "config/base/catalogue: base.idle is used nowhere"])

    def test_a_code_in_another_rooms_file_is_found(self):
        self.file("config/base/catalogue/ui.inc", '{"base.lost2", "x"},\n')
        self.file("ui/menu/m.cpp", 'Message("base.lost2")')
        self.assertEqual(catalogue.violations(self.root),
                         ["config/base/catalogue/ui.inc: base.lost2 belongs to another room's file"])

    def test_an_entry_that_cannot_be_read_is_found(self):
        self.file("config/base/catalogue/base.inc", '{"base.lost", "{path} {errno}"},\n{"base.x", "x"}\n')
        self.assertEqual(len(catalogue.violations(self.root)), 1)

    def test_parameters_that_differ_are_found(self):
        rows = {
            'Error("base.lost", {{"path", p}});': "base.lost is not given errno",
            'Error("base.lost");': "base.lost is not given errno, path",
            'Error::from_errno(e, "base.lost", {{"path", f("x(")}, {"size", 1}});': "base.lost has no place for size",
            'Message("base.lost", {{"path", p}}).with({"errno", w});': None,
            'Error(Message("base.lost", {{"path", p}, {"errno", e}}), 5);': None,
            'Error(code, {{"path", p}});': None,
        }
        for text, expected in rows.items():
            with self.subTest(text):
                self.file("config/base/b.cpp", text + "\n")
                lines = [f"config/base/b.cpp:1: {expected}"] if expected else []
                self.assertEqual(catalogue.violations(self.root), lines)

    def test_a_file_without_its_opening_is_found(self):
        self.file("config/base/a.cpp", "// SPDX-License-Identifier: Apache-2.0\n// A sentence of purpose.\n")
        self.assertEqual(opening.violations(self.root), [])
        self.file("config/base/b.cpp", "// SPDX-License-Identifier: Apache-2.0\n#include <x>\n")
        self.file("config/base/c.hpp", "#pragma once\n")
        self.file("tests/meson.build", "project()\n")
        self.assertEqual(opening.violations(self.root),
                         ["config/base/b.cpp: no sentence of purpose follows the SPDX line",
                          "config/base/c.hpp: the SPDX line is missing",
                          "tests/meson.build: the SPDX line is missing"])


class Room(unittest.TestCase):
    """What the tests take of a disk."""

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = Path(place.name)

    def need_space(self, gigabytes):
        return subprocess.run(["bash", "-c", '. "$0/dev.d/common.sh" && need_space "$1" "the tests need"', ROOT,
                               str(gigabytes)], env={**os.environ, "top": self.place, "STILLBOOT_CACHE": self.place / "cache"},
                              capture_output=True, text=True)

    def test_too_little_is_said_before_anything_is_begun(self):
        self.assertEqual(self.need_space(0).returncode, 0)
        refused = self.need_space(10**6)
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, rf"^./dev: the tests need 1000000 GB on the disk of {self.place}, which has "
                                         r"\d+ GB free \(./dev clean empties the cache and the build directories\)\n$")

    def test_of_a_machine_test_that_passed_the_words_stay_and_the_disks_go(self):
        sys.path.insert(0, str(ROOT / "tests/vm"))
        import run
        (self.place / "test/machine0").mkdir(parents=True)
        large = ["elsewhere.img", "test/disk.img", "test/machine0/console.log"]
        for name in large + ["test/qemu-command"]:
            (self.place / name).write_bytes(b"x" * (run.LARGE if name in large else 9))
        (self.place / "test/link.img").symlink_to("../elsewhere.img")
        run.remove_disks(self.place / "test")
        left = sorted(str(path.relative_to(self.place)) for path in self.place.rglob("*") if not path.is_dir())
        self.assertEqual(left, ["elsewhere.img", "test/link.img", "test/machine0/console.log", "test/qemu-command"])


if __name__ == "__main__":
    sys.exit(unittest.main())
