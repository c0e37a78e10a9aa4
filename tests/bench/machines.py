# SPDX-License-Identifier: Apache-2.0
"""What a bench in machines begins with: the modules of the machine tests on the path, and its end as skipped where
there are no machines.
"""
import pathlib
import shutil
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # what meson takes for "skipped"
sys.path.insert(0, str(TOP / "tests/vm"))


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


if shutil.which("qemu-system-x86_64") is None:
    skip("there is no qemu-system-x86_64")
try:
    import lab  # noqa: F401 (with all that the others need)
except ImportError as missing:
    skip(missing)
