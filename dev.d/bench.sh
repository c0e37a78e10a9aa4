# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Measuring: whatever meson knows as a benchmark, one after the other, nothing beside them.

dev_bench() {
    need_packages build test test-tools firmware machine
    build_programs
    say "measuring"
    # Without --no-rebuild: what only measures is built only here.
    meson test -C "$top/build" --benchmark --num-processes 1 --verbose "$@"
}
