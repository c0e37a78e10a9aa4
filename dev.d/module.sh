# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The kernel module of the machine tests, built from the packaged headers of the firmware's kernel.

# Unpacks the headers that fit a kernel; prints the directory that `make -C` wants.
# usage: headers_of SUITE VERSION
headers_of() {
    local suite=$1 version=$2 root=$cache/kernel/$1/$2-headers
    if [ ! -d "$root" ]; then
        say "downloading the headers of kernel $version"
        prepare_apt_of "$suite"
        rm -rf "$root.part"
        unpack_packages "$suite" "$root.part" "linux-headers-$version" "linux-headers-${version%-*}-common" \
            "linux-kbuild-$(cut -d. -f1,2 <<<"$version")"
        # Debian's Makefile names the other half of the headers by the place it is installed in.
        sed -i "s,^include /usr,include $root/usr," "$root.part/usr/src/linux-headers-$version/Makefile"
        mv "$root.part" "$root"
    fi
    echo "$root/usr/src/linux-headers-$version"
}

# Debian 13's build tools ask for its own libc and compiler, so they are installed in a root of it.
# usage: compile_module SUITE VERSION DIRECTORY
compile_module() {
    local suite=$1 version=$2 module=$3 root
    if [ "$suite" = trixie ]; then
        root=$(locked roots root_of trixie module make "linux-headers-$version")
        logged "module-$suite" in_root "$root" "$module:/module" -- \
            make -C "/usr/src/linux-headers-$version" M=/module modules
    else
        logged "module-$suite" make -C "$(headers_of "$suite" "$version")" M="$module" CC=gcc modules
    fi
}

make_module() {
    local suite=$1 kernel version module
    kernel=$(kernel_of "$suite")
    version=$(cat "$kernel/version")
    module=$cache/module/$(content_key "$version" "$top"/tests/vm/module/*)
    if [ ! -f "$module/still_test.ko" ]; then
        say "building the test module for kernel $version"
        rm -rf "$module" && mkdir -p "$module"
        cp "$top"/tests/vm/module/* "$module"
        compile_module "$suite" "$version" "$module"
    fi
    echo "$module/still_test.ko"
}

# Its path is the last line.
# usage: ./dev module [--suite SUITE]
dev_module() {
    local suite=bookworm
    while [ $# -gt 0 ]; do
        case $1 in
            --suite) suite=${2:?--suite needs a name} && shift 2 ;;
            *) die "module: what is '$1'?" ;;
        esac
    done
    locked module make_module "$suite"
}
