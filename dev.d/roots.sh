# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Roots of other releases of Debian, made by mmdebstrap and kept in the cache.

# Unpacks a root of a suite with some packages, once; prints its directory.
# usage: root_of SUITE NAME PACKAGE...
root_of() {
    local suite=$1 name=$2 root sources
    shift 2
    root=$cache/roots/$name-$suite-$(content_key "$suite" "$@")
    if [ ! -d "$root" ]; then
        say "making a root of $suite with mmdebstrap for $name (a minute or two, once)"
        # Those of earlier lists of packages are of no use.
        as_root rm -rf --one-file-system "$cache/roots/$name-$suite"-*
        sources=$(mktemp "$cache/sources.XXXXXX")
        suite_sources "$suite" >"$sources"
        mkdir -p "$cache/roots"
        logged "root-$name-$suite" as_root mmdebstrap --mode=root --variant=minbase \
            --include="$(IFS=,; echo "$*")" "$suite" "$root.part" "$sources"
        as_root mv "$root.part" "$root"
        rm -f "$sources"
    fi
    echo "$root"
}

# Runs a command in a root, with the checkout at /src, and further directories.
# usage: in_root ROOT OUTSIDE:INSIDE... -- COMMAND...
in_root() {
    local root=$1 binds=()
    shift
    while [ "$1" != -- ]; do
        binds+=("$1")
        shift
    done
    shift
    # The mounts live in a namespace of their own, and end with the command. Expanded by that shell.
    # shellcheck disable=SC2016
    as_root unshare --mount --pid --fork --kill-child bash -euc '
        root=$1 && shift
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/tmp"
        mount --rbind /dev "$root/dev"
        mount -t sysfs -o ro sysfs "$root/sys"
        while [ "$1" != -- ]; do
            mkdir -p "$root/${1#*:}"
            mount --bind "${1%%:*}" "$root/${1#*:}"
            shift
        done
        shift
        exec chroot "$root" "$@"' in_root "$root" "${binds[@]}" -- "$@"
}

# A Debian 13 root with clients that nobody here wrote: Python and varlinkctl. Its directory is the last line.
dev_clients() {
    locked roots root_of trixie clients python3 systemd
}

# Builds with the compiler and libraries of Debian 13, and runs the unit tests there.
debian_13_tests() {
    local root packages log="$cache/logs/test-Debian 13.log"
    mapfile -t packages < <(packages_of trixie build test-tools)
    root=$(locked roots root_of trixie build "${packages[@]}")
    mkdir -p "$cache/ccache-trixie" "$top/build-trixie"
    say "building in Debian 13"
    # shellcheck disable=SC2016 # expanded in the root
    logged build-trixie in_root "$root" "$top:/src" "$top/build-trixie:/build" "$cache/ccache-trixie:/ccache" -- \
        env CCACHE_DIR=/ccache CC="ccache gcc" CXX="ccache g++" sh -euc '
            [ -f /build/build.ninja ] || meson setup /build /src --werror
            ninja -C /build'
    say "running the tests in Debian 13"
    in_root "$root" "$top:/src" "$top/build-trixie:/build" -- \
        meson test -C /build --no-rebuild --print-errorlogs >"$log" 2>&1 </dev/null || true
    add_meson_counts "Debian 13" "$log"
}
