# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Building: the programs with g++, and once more with clang for sanitizers and fuzzers.

export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache}
# What one clone compiled serves the next, whatever its path; debug information then names the first.
export CCACHE_NOHASHDIR=1

# usage: configure_build DIRECTORY MESON_OPTION...
configure_build() {
    local directory=$1
    shift
    if [ ! -f "$directory/build.ninja" ]; then
        say "setting up $directory (CXX=${CXX:-c++})"
        logged "setup-$(basename "$directory")" meson setup "$directory" "$top" --werror "$@"
    fi
}

# Compiles with ninja's own progress lines on a terminal, and quietly otherwise.
compile_build() {
    say "building in $1"
    if [ -t 2 ]; then
        ninja -C "$1" >&2 || die "the build in $1 failed"
    else
        logged "ninja-$(basename "$1")" ninja -C "$1"
    fi
}

build_programs() {
    CC="ccache gcc" CXX="ccache g++" configure_build "$top/build"
    compile_build "$top/build"
}

# One clang build serves the sanitizers and the fuzzers. (Lundef: sanitizers leave symbols to the run.)
build_with_clang() {
    CC="ccache clang-19" CXX="ccache clang++-19" configure_build "$top/build-clang" \
        -Db_sanitize=address,undefined -Db_lundef=false -Dfuzzers=true -Dplanted_defects=true -Doptimization=1
    compile_build "$top/build-clang"
}

dev_build() {
    [ $# -eq 0 ] || die "build takes no arguments"
    need_packages build
    build_programs
    say "the programs stand under $top/build"
}
