#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the programs weigh in a firmware: each stripped, beside an empty program with the same libraries.

usage: sizes.py EMPTY PROGRAM...
"""
import pathlib
import subprocess
import sys
import tempfile


def stripped_size(program, directory):
    """Bytes of a program without its symbols and debug information."""
    small = pathlib.Path(directory) / "stripped"
    subprocess.run(["strip", "-o", small, program], check=True)
    return small.stat().st_size


def main():
    total = 0
    with tempfile.TemporaryDirectory() as directory:
        for program in sys.argv[2:]:
            size = stripped_size(program, directory)
            total += size
            print(f"{pathlib.Path(program).name:42} {size / 1e6:8.2f} MB")
        print(f"{'together':42} {total / 1e6:8.2f} MB")
        print(f"{'an empty program':42} {stripped_size(sys.argv[1], directory) / 1e6:8.2f} MB")


main()
