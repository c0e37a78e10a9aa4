# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What all parts of ./dev share: speaking, failing, running as root, and the cache.

cache=${STILLBOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stillboot}
: "${top:?}"

# Everything that is said goes to standard error: standard output carries results (paths, counts) alone.
say() { printf '==> %s\n' "$*" >&2; }
die() {
    printf './dev: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root, by sudo where we are not.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "'$1' must run as root, and there is no sudo here"
    fi
}

# The file names given, hashed with what they hold, and further words: a key for the cache.
content_key() {
    local word
    for word in "$@"; do
        if [ -f "$word" ]; then sha256sum <"$word"; else printf '%s\n' "$word"; fi
    done | sha256sum | cut -c1-16
}

# Refuses early what would end in the middle with a full disk.
# usage: need_space GIGABYTES WHAT
need_space() {
    local directory free
    mkdir -p "$cache"
    for directory in "$top" "$cache"; do
        free=$(df --output=avail -B1G "$directory" | tail -n 1)
        [ "$free" -ge "$1" ] || die "$2 $1 GB on the disk of $directory, which has ${free// /} GB free" \
            "(./dev clean empties the cache and the build directories)"
    done
}

# Runs a long command; its output goes to a log, which is shown when it fails.
# usage: logged NAME COMMAND...
logged() {
    local log=$cache/logs/$1.log
    shift
    mkdir -p "$cache/logs"
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        die "this failed: $* (all of its output: $log)"
    fi
}

# Holds a lock while a command makes something in the cache, so that two ./dev never make it at once.
# usage: locked NAME COMMAND...
locked() {
    local lock=$cache/locks/$1
    shift
    mkdir -p "$cache/locks"
    (
        exec 9>"$lock"
        flock -n 9 || { say "waiting for another ./dev that holds $lock" && flock 9; }
        "$@" 9>&-
    )
}

dev_clean() {
    say "emptying $cache and the build directories"
    case $cache in "" | /) die "STILLBOOT_CACHE is '$cache'" ;; esac
    # Unpacked roots hold files of other users.
    if [ -d "$cache" ]; then as_root rm -rf --one-file-system "$cache"; fi
    rm -rf "$top"/build "$top"/build-clang "$top"/build-vm "$top"/build-package
    if [ -d "$top/build-trixie" ]; then as_root rm -rf "$top/build-trixie"; fi
}
