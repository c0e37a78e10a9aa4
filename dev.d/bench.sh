# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Measuring: whatever meson knows as a benchmark, one after the other, nothing beside them.

dev_bench() {
    need_packages build
    build_programs
    say "measuring"
    meson test -C "$top/build" --benchmark --no-rebuild --num-processes 1 --verbose "$@"
}
