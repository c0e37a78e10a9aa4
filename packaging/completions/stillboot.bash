# SPDX-License-Identifier: Apache-2.0
# bash completion for stillboot(1). Options and devices are asked of the daemon; without it, words alone are offered.

# The ids of what a verb lists, or another field.
_stillboot_ids() {
    stillboot --json=short "$1" 2>/dev/null | grep -o "\"${2:-id}\":\"[^\"]*\"" | cut -d'"' -f4
}

_stillboot_verb() {
    local word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
            -*) ;;
            *) echo "$word" && return ;;
        esac
    done
}

_stillboot() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words="" ids="" id
    COMPREPLY=()
    case $previous in
        --host) words="unix: ssh:// tls://" ;;
        --role) words="look boot configure all" ;;
        --root | --cert | --key | --ca | --out | --initrd | --devicetree | --inventory | --shell | --also)
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
    esac
    [ -n "$words" ] || case $(_stillboot_verb) in
        "") words="status list boot cancel devices rescan add explain quiesce load menu log wait clients settings system times report set-default set-oneshot set-timeout reboot poweroff keys attempts bless password bridge --json --host --cert --key --ca --root --help --version" ;;
        list) words="--watch --json --help" ;;
        boot) words="@default --kernel --initrd --devicetree --append --args --dry-run --wait --help" ids=list ;;
        settings) words="--once --forget --json --help" ids="settings key" ;;
        set-default | set-oneshot) words="@default --forget --help" ids=list ;;
        set-timeout) words="never --once --json --help" ;;
        rescan | add) words="--help" ids=devices ;;
        reboot) words="--firmware-setup --help" ;;
        menu) words="--shell --console --help" ;;
        password) words="--set --ask --json --help" ;;
        bless) words="--bad --dry-run --help" ;;
        keys) words="init client --name --again --role --days --out --help" ;;
        log) words="--follow --json --help" ;;
        wait) words="options default idle --timeout --json --help" ;;
        quiesce) words="plan run verify undo record learned report rules --inventory --identities --even-if-cut-off --json --help" ;;
        explain) words="--uuid --label --device --also --json --help" ;;
        load) words="--initrd --devicetree --append --exec --even-if-cut-off --dry-run --help" ;;
        *) words="--json --help" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    # An id is what a disk says it is, and compgen -W would execute a "$(…)" in it.
    [ -z "$ids" ] || while IFS= read -r id; do
        case $id in "$current"*) COMPREPLY+=("$id") ;; esac
    # shellcheck disable=SC2086 # a verb, and for some a field
    done < <(_stillboot_ids $ids)
    case $(_stillboot_verb) in
        explain | load | report) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;;
    esac
}
complete -o filenames -F _stillboot stillboot
