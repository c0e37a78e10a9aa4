#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the completions of a shell offer: completion_test.sh DIRECTORY-OF-COMPLETIONS PROGRAM-OR-NOTHING
set -u
directory=$1 program=${2:-}
# shellcheck source=/dev/null
. "$directory/stillboot.bash"
failed=0

# What is offered for a command line; a daemon is not asked, for there is no program of that name here.
offers() {
    # shellcheck disable=SC2034 # read by the completion
    COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
    PATH=$stub:$PATH _stillboot
    printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
}

expect() {
    if [ "$1" != "$2" ]; then
        printf 'expected: %s\noffered:  %s\n' "$1" "$2"
        failed=1
    fi
}

stub=$(mktemp -d)
trap 'rm -r "$stub"' EXIT
cat >"$stub/stillboot" <<'STUB'
#!/bin/sh
case "$*" in
    *list) echo '[{"id":"vda2/grub/0","title":"Debian"},{"id":"vda2/grub/1","title":"x"},{"id":"pci-0000:00:04.0/grub/a b"}]' ;;
    *settings) echo '{"settings":[{"key":"timeout","value":"10"},{"key":"strict","value":"false"}]}' ;;
    *devices) echo '[{"id":"vda2"},{"id":"$(echo${IFS}executed)"}]' ;;
esac
STUB
chmod +x "$stub/stillboot"

verbs="add attempts bless boot bridge cancel clients devices explain keys list load log menu password poweroff quiesce reboot report rescan set-default set-oneshot set-timeout settings status system times wait"
expect "--ca --cert --help --host --json --key --root --version $verbs " "$(offers stillboot "")"
expect "poweroff " "$(offers stillboot pow)"
expect "vda2/grub/0 vda2/grub/1 " "$(offers stillboot boot vda)"
# Behind what bash splits at, as it replaces no more than that.
expect "default " "$(offers stillboot boot @)"
expect 'pci-0000:00:04.0/grub/a\ b ' "$(offers stillboot boot pci)"
expect '04.0/grub/a\ b ' "$(offers stillboot boot pci-0000:00:)"
expect '04.0/grub/a\ b ' "$(offers stillboot boot 'pci-0000\:00\:04')"
expect "poweroff " "$(offers stillboot --host ssh://x pow)"
expect "@default --help --forget " "$(offers stillboot --host ssh://x set-default '' | tr ' ' '\n' | grep '^[@-]' | LC_ALL=C sort -r | tr '\n' ' ')"
expect "// " "$(offers stillboot --host tls:)"
expect "--append --args --devicetree --dry-run --help --initrd --kernel --wait " "$(offers stillboot boot --)"
expect "vda2 " "$(offers stillboot rescan v)"
# What a disk calls itself is offered as it is, and never executed.
# shellcheck disable=SC2016
expect '--help \$\(echo\$\{IFS\}executed\) vda2 ' "$(offers stillboot rescan "" | tr ' ' '\n' | LC_ALL=C sort | tr '\n' ' ')"
expect "learned plan record report rules run undo verify " "$(offers stillboot quiesce "" | tr ' ' '\n' | grep -v '^-' | tr '\n' ' ')"
expect "timeout " "$(offers stillboot settings ti)"
expect "vda2 " "$(offers stillboot add v)"
expect "never " "$(offers stillboot set-timeout n)"
expect "boot " "$(offers stillboot --json=short bo)"
expect "--append --devicetree --dry-run --even-if-cut-off --exec --help --initrd " "$(offers stillboot load --)"

# Every shell offers the same verbs, and the program knows each of them.
for verb in $verbs; do
    grep -q "^        '$verb:" "$directory/_stillboot" || { echo "zsh lacks $verb"; failed=1; }
    grep -q -- " -a $verb -d" "$directory/stillboot.fish" || { echo "fish lacks $verb"; failed=1; }
    if [ -n "$program" ] && ! "$program" "$verb" --help >/dev/null; then
        echo "the program lacks $verb"
        failed=1
    fi
done
for shell in zsh fish; do
    command -v $shell >/dev/null || continue
    [ $shell = zsh ] && script=_stillboot || script=stillboot.fish
    $shell -n "$directory/$script" || { echo "$shell does not read its script"; failed=1; }
done
exit $failed
