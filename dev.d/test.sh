# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Every test there is. Each kind adds to the two counts that the last line shows.

passed=0
failed=0

# Runs the tests of a build directory; a meson test counts as one.
# usage: meson_tests NAME DIRECTORY MESON_TEST_ARGUMENT...
meson_tests() {
    local name=$1 directory=$2 log=$cache/logs/test-$1.log
    shift 2
    say "running the tests of $name"
    mkdir -p "$cache/logs"
    meson test -C "$directory" --no-rebuild --print-errorlogs "$@" >"$log" 2>&1 </dev/null || true
    grep -E '(FAIL|TIMEOUT|ERROR|SKIP)' "$log" >&2 || true
    add_meson_counts "$name" "$log"
}

add_meson_counts() {
    local name=$1 log=$2 good bad
    if ! grep -q '^Ok:' "$log"; then
        tail -n 30 "$log" >&2
        say "$name: the tests did not run (all of it: $log)"
        failed=$((failed + 1))
        return
    fi
    good=$(awk '/^(Ok|Expected Fail):/ { n += $NF } END { print n + 0 }' "$log")
    bad=$(awk '/^(Fail|Timeout|Unexpected Pass):/ { n += $NF } END { print n + 0 }' "$log")
    if [ "$bad" -gt 0 ]; then
        sed -n '/=\{30,\}/,$p' "$log" | tail -n 60 >&2
        say "all that they said: $log"
    fi
    say "$name: $good passed, $bad failed"
    passed=$((passed + good)) failed=$((failed + bad))
}

# Starts the firmware and its machines; their last line has the counts.
machine_tests() {
    local firmware log=$cache/logs/test-machines.log
    firmware=$(dev_firmware)
    say "running the machine tests"
    STILLBOOT_VM_FIRMWARE=$(paste -sd: <<<"$firmware") "$top/tests/vm/run.py" "$@" </dev/null | tee "$log" >&2 || true
    if ! tail -n 1 "$log" | grep -qE '^[0-9]+ passed, [0-9]+ failed$'; then
        failed=$((failed + 1))
        return
    fi
    passed=$((passed + $(tail -n 1 "$log" | cut -d' ' -f1)))
    failed=$((failed + $(tail -n 1 "$log" | cut -d' ' -f3)))
}

# The gigabytes that a first run adds: to the build directories, and to an empty cache.
space_of_tests() {
    local gigabytes=1
    [ -d "$top/build-trixie" ] || gigabytes=$((gigabytes + 5))
    [ -d "$cache/roots" ] || gigabytes=$((gigabytes + 6))
    echo "$gigabytes"
}

dev_test() {
    # Whatever ends this early has failed too.
    trap 'echo "$passed passed, $((failed + 1)) failed"' EXIT
    need_space "$(space_of_tests)" "the tests need"
    need_packages build test test-tools firmware machine
    if [ $# -eq 0 ]; then
        build_programs
        meson_tests "the g++ build" "$top/build"
        build_with_clang
        meson_tests "the clang build with sanitizers" "$top/build-clang"
        debian_13_tests
    fi
    machine_tests "$@"
    trap - EXIT
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
