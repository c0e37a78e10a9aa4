# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The demo machine: a Debian on an NVMe disk, other disks and network cards beside it, and our firmware.

# Makes the disks, once; prints the directory that holds them.
demo_disks() {
    local packages directory root
    mapfile -t packages < <(packages_of bookworm demo)
    directory=$cache/demo/$(content_key "${packages[@]}" "$top"/packaging/demo/{make-disks,configure-debian,grub-probe})
    if [ ! -f "$directory/nonce" ]; then
        root=$(root_of bookworm demo "${packages[@]}")
        say "making the demo machine's disks"
        # Those of an earlier making are of no use.
        rm -rf "$cache/demo"
        mkdir -p "$directory"
        logged demo-disks as_root unshare --mount "$top/packaging/demo/make-disks" "$root" "$directory"
    fi
    echo "$directory"
}

dev_demo() {
    local unattended=false build_only=false picture= directory firmware
    while [ $# -gt 0 ]; do
        case $1 in
            --unattended) unattended=true ;;
            --build-only) build_only=true ;;
            --picture) picture=$top/docs/menu.svg ;;
            *) die "demo: what is '$1'?" ;;
        esac
        shift
    done
    need_packages build firmware machine
    directory=$(locked demo demo_disks)
    if $build_only; then
        echo "$directory"
        return
    fi
    firmware=$(dev_firmware)
    mapfile -t firmware <<<"$firmware"
    if $unattended; then
        "$top/packaging/demo/unattended" "${firmware[0]}" "${firmware[1]}" "$directory"
    elif [ -n "$picture" ]; then
        "$top/packaging/demo/draw-menu" "${firmware[0]}" "${firmware[1]}" "$directory" "$picture"
        say "drawn: $picture"
    else
        demo_on_this_terminal "${firmware[0]}" "${firmware[1]}" "$directory"
    fi
}

# What is written to the disks is thrown away (snapshot=on).
demo_on_this_terminal() {
    local kernel=$1 initrd=$2 directory=$3 arguments=() name bus number=0 terminal
    case ${TERM:-} in
        xterm* | alacritty* | foot* | rxvt*) terminal=xterm ;;
        screen* | tmux*) terminal=screen ;;
        linux | vt100) terminal=$TERM ;;
        *) terminal=vt220 ;;
    esac
    while read -r name bus; do
        arguments+=(-drive "if=none,id=$name,format=raw,file=$directory/$name.img,snapshot=on" -device "$bus,drive=$name")
    done <<'EOF'
debian nvme,serial=demo-nvme
archive ide-hd,bus=ide.0
scratch virtio-blk-pci
stick usb-storage,bus=xhci.0,removable=on
EOF
    for name in e1000e virtio-net-pci; do
        arguments+=(-netdev "user,id=net$number,restrict=on" -device "$name,netdev=net$number,romfile=")
        number=$((number + 1))
    done
    say "starting the demo machine in software emulation: its menu comes in half a minute or so"
    say "log in as root, without a password; Ctrl-A X ends the machine"
    qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -nodefaults -display none -vga none \
        -serial mon:stdio -kernel "$kernel" -initrd "$initrd" \
        -append "console=ttyS0 no_timer_check quiet panic=-1 TERM=$terminal" -device qemu-xhci,id=xhci "${arguments[@]}"
}
