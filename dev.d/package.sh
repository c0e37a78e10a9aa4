# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The Debian package, and an ordinary Debian machine that has it installed.

: "${top:?}" "${cache:?}"

dev_package() {
    [ $# -eq 0 ] || die "package takes no arguments"
    make_package
}

# Builds the package; its path is the last line.
make_package() {
    need_packages build package
    CC="ccache gcc" CXX="ccache g++" configure_build "$top/build-package" --prefix=/usr --sysconfdir=/etc \
        -Dtests=disabled -Dman=enabled
    compile_build "$top/build-package"
    say "making the package"
    logged package "$top/packaging/debian/make-package" "$top/build-package" "$top/build-package/debian"
    find "$top/build-package/debian" -maxdepth 1 -name '*.deb'
}

# Makes the disk of an ordinary machine, once for each package; prints the directory that holds it.
# usage: ordinary_machine PACKAGE_FILE
ordinary_machine() {
    local package=$1 packages directory root
    mapfile -t packages < <(packages_of bookworm ordinary)
    directory=$cache/ordinary/$(content_key "${packages[@]}" "$package" "$top"/packaging/debian/make-machine)
    if [ ! -f "$directory/disk.img" ]; then
        root=$(root_of bookworm ordinary "${packages[@]}")
        say "making the disk of an ordinary machine"
        # Those of earlier packages are of no use.
        rm -rf "$cache/ordinary"
        mkdir -p "$directory"
        logged ordinary as_root unshare --mount "$top/packaging/debian/make-machine" "$root" "$package" "$directory"
    fi
    echo "$directory"
}

dev_ordinary() {
    local package
    package=$(make_package)
    need_packages machine
    locked roots ordinary_machine "$package"
}
