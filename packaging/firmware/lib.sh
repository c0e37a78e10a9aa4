# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Copying programs and their shared libraries into a tree that becomes an initramfs.

# Copies a program to a directory of a tree, with every shared library that it needs.
# usage: add_program TREE PROGRAM DIRECTORY
# Libraries are looked for in $library_path first; they land where the loader of the tree looks.
add_program() {
    local tree=$1 program=$2 directory=$3
    install -D -m 755 -s --strip-program=strip "$program" "$tree/$directory/$(basename "$program")"
    add_libraries "$tree" "$program"
}

add_libraries() {
    local tree=$1 program=$2 library list
    list=$(LD_LIBRARY_PATH=${library_path:-} ldd "$program" 2>/dev/null) || return 0 # static
    if grep -q 'not found' <<<"$list"; then
        echo "the libraries of $program are not all here:" >&2
        grep 'not found' <<<"$list" >&2
        return 1
    fi
    grep -o '/[^ ]*' <<<"$list" | while read -r library; do
        case $library in
            */ld-linux* | */ld64*) install -D -m 755 "$library" "$tree/usr/lib64/$(basename "$library")" ;;
            *) install -D -m 644 "$library" "$tree/usr/lib/$(basename "$library")" ;;
        esac
        add_opened_libraries "$tree" "$library"
    done
    add_opened_libraries "$tree" "$program"
}

# What a file opens by itself when it comes to need it, as it says in a note (the UAPI group's "ELF dlopen metadata"):
# udev's way to libkmod since Debian 13. As far as the directories of $library_path hold it.
add_opened_libraries() {
    local tree=$1 file=$2 name place places
    IFS=: read -ra places <<<"${library_path:-}"
    [ ${#places[@]} -gt 0 ] || return 0
    for name in $(readelf -p .note.dlopen "$file" 2>/dev/null | grep -o '"soname":[^]]*' | grep -o 'lib[^"]*'); do
        place=$(find "${places[@]}" -maxdepth 1 -name "$name" -print -quit)
        if [ -n "$place" ] && [ ! -e "$tree/usr/lib/$name" ]; then
            install -D -m 644 "$place" "$tree/usr/lib/$name"
            add_libraries "$tree" "$place"
        fi
    done
}

# Makes the archive of a tree, the same bytes for the same files.
pack_tree() {
    local tree=$1 out=$2
    find "$tree" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
    (cd "$tree" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
        cpio --quiet -0 -o -H newc -R 0:0 --reproducible) >"$out.part"
    mv "$out.part" "$out"
}
