# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The firmware: Debian's kernel, and an initramfs of three archives one after the other (the kernel's modules,
# the small system, Stillboot), of which the first two are kept in the cache.

# Unpacks the newest kernel of a suite; prints the directory, which holds a file "version".
kernel_of() {
    local suite=$1 package directory
    prepare_apt_of "$suite"
    package=$(apt_of "$suite" apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ && !n++ { print $2 }')
    [ -n "$package" ] || die "$suite has no linux-image-amd64"
    directory=$cache/kernel/$suite/${package#linux-image-}
    if [ ! -f "$directory/version" ]; then
        say "downloading the kernel of $suite ($package)"
        rm -rf "$directory"
        unpack_packages "$suite" "$directory" "$package"
        echo "${package#linux-image-}" >"$directory/version"
    fi
    echo "$directory"
}

firmware_modules() {
    local kernel=$1 key
    shift
    key=$(content_key "$kernel" "$top"/packaging/firmware/{modules.list,select-modules,pack-modules} "$@")
    if [ ! -f "$cache/firmware/modules-$key.cpio" ]; then
        say "packing the modules of kernel $(cat "$kernel/version") (about a minute, once)"
        logged pack-modules "$top/packaging/firmware/pack-modules" "$kernel" "$(cat "$kernel/version")" \
            "$cache/firmware/modules-$key.cpio" "$@"
    fi
    echo "$cache/firmware/modules-$key.cpio"
}

# udev, kmod and the like come from the release of this machine: their libraries must be those that
# Stillboot was linked with.
firmware_base() {
    local release packages key
    release=$(debian_release)
    mapfile -t packages < <(packages_of "$release" firmware-contents)
    key=$(content_key "$release" "${packages[@]}" "$top"/packaging/firmware/{lib.sh,pack-base,init,console,daemon} \
        "$top"/packaging/firmware/etc/* "$top"/packaging/firmware/rules.d/*)
    if [ ! -f "$cache/firmware/base-$key.cpio" ]; then
        local unpacked
        unpacked=$cache/firmware/packages-$release-$(content_key "${packages[@]}")
        if [ ! -d "$unpacked" ]; then
            prepare_apt_of "$release"
            say "downloading what the firmware holds: ${packages[*]}"
            rm -rf "$unpacked.part"
            unpack_packages "$release" "$unpacked.part" "${packages[@]}"
            mv "$unpacked.part" "$unpacked"
        fi
        say "packing the firmware's small system"
        logged pack-base "$top/packaging/firmware/pack-base" "$unpacked" "$cache/firmware/base-$key.cpio"
    fi
    echo "$cache/firmware/base-$key.cpio"
}

# usage: make_firmware SUITE BUILD_DIRECTORY [GLOB...]; sets firmware_kernel and firmware_initrd
make_firmware() {
    local suite=$1 build=$2 kernel version modules base stillboot name
    shift 2
    mkdir -p "$cache/firmware"
    kernel=$(kernel_of "$suite")
    version=$(cat "$kernel/version")
    modules=$(firmware_modules "$kernel" "$@")
    base=$(firmware_base)
    stillboot=$(mktemp "$cache/firmware/stillboot.XXXXXX")
    "$top/packaging/firmware/pack-stillboot" "$build" "$stillboot"
    name=$(content_key "$modules" "$base" "$stillboot")
    firmware_kernel=$kernel/boot/vmlinuz-$version
    firmware_initrd=$cache/firmware/initramfs-$name.cpio
    if [ ! -f "$firmware_initrd" ]; then
        cat "$modules" "$base" "$stillboot" >"$firmware_initrd.part"
        mv "$firmware_initrd.part" "$firmware_initrd"
    fi
    rm -f "$stillboot"
    # Those of earlier builds, when nobody can be using them any more.
    touch "$base" "$firmware_initrd"
    find "$cache/firmware" -maxdepth 1 -type f ! -name 'modules-*' -mmin +120 -delete
}

dev_firmware() {
    local suite=bookworm globs=()
    while [ $# -gt 0 ]; do
        case $1 in
            --suite) suite=${2:?--suite needs a name} && shift 2 ;;
            --with-modules) globs+=("${2:?--with-modules needs a pattern}") && shift 2 ;;
            *) die "firmware: what is '$1'?" ;;
        esac
    done
    need_packages build firmware
    build_programs
    locked firmware make_and_print_firmware "$suite" "$top/build" "${globs[@]}"
}

make_and_print_firmware() {
    make_firmware "$@"
    say "the firmware's kernel and initramfs ($(du -h "$firmware_initrd" | cut -f1)):"
    printf '%s\n%s\n' "$firmware_kernel" "$firmware_initrd"
}
