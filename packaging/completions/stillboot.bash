# SPDX-License-Identifier: Apache-2.0
# bash completion for stillboot(1). Options and devices are asked of the daemon; without it, words alone are offered.

# The ids of what a verb lists, or another field.
_stillboot_ids() {
    stillboot --json=short "$1" 2>/dev/null | grep -o "\"${2:-id}\":\"[^\"]*\"" | cut -d'"' -f4
}

# The verb among the words of the line before the last one.
_stillboot_verb() {
    local word option=""
    for word in "${line[@]:1:${#line[@]}-2}"; do
        case $option$word in
            --host | --root | --cert | --key | --ca) option="$word " ;;
            "--"*" "*) option="" ;; # its value
            -*) ;;
            *) echo "$word" && return ;;
        esac
    done
}

_stillboot() {
    local line words="" ids="" id files="" before
    COMPREPLY=()
    # bash splits at the colons of ids and addresses, too, which COMP_WORDS then has in pieces.
    # shellcheck disable=SC2162 # a backslash takes the meaning of what is behind it, as for the shell
    read -a line <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} != *[!\\][[:blank:]] ]] || line+=("")
    local current=${line[-1]} previous=${line[-2]}
    case $previous in
        --host) words="unix: ssh:// tls://" ;;
        --role) words="look boot configure all" ;;
        --root | --cert | --key | --ca | --out | --initrd | --devicetree | --inventory | --shell | --also)
            files=only
            ;;
    esac
    [ -n "$words$files" ] || case $(_stillboot_verb) in
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
    case $(_stillboot_verb) in
        explain | load | report) files=${files:-too} ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    # An id is what a disk says it is, and compgen -W would execute a "$(…)" in it.
    [ -z "$ids" ] || while IFS= read -r id; do
        case $id in "$current"*) COMPREPLY+=("$id") ;; esac
    # shellcheck disable=SC2086 # a verb, and for some a field
    done < <(_stillboot_ids $ids)
    [ -z "$files" ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
    # What bash puts in stands behind the last character that it splits at.
    before=${current%"${current##*["$COMP_WORDBREAKS"]}"}
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
    if [ -n "$files" ]; then
        compopt -o filenames 2>/dev/null # bash quotes them, and shows what a directory is
    elif [ "${#COMPREPLY[@]}" -gt 0 ]; then
        mapfile -t COMPREPLY < <(printf '%q\n' "${COMPREPLY[@]}")
    fi
}
complete -F _stillboot stillboot
