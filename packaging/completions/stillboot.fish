# SPDX-License-Identifier: Apache-2.0
# fish completion for stillboot(1).

function __stillboot_ids
    stillboot --json=short $argv[1] 2>/dev/null | string match -ra '"id":"[^"]*"' | string replace -r '"id":"(.*)"' '$1'
end

set -l verbs status list boot cancel devices rescan explain quiesce load menu log reboot poweroff
complete -c stillboot -f
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a status -d 'Where things stand'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a list -d 'The boot options'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a boot -d 'Boot an option'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a cancel -d 'Stop the countdown, or a boot under way'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a devices -d 'The devices and what was found on each'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a rescan -d 'Look at the devices again'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a explain -d 'What a directory would offer'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a quiesce -d 'Plan, run or verify the unbinding'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a load -d 'Load a kernel, and hand over to it'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a menu -d 'The menu'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a log -d 'What the daemon has done and said'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a reboot -d 'Restart the machine'
complete -c stillboot -n "not __fish_seen_subcommand_from $verbs" -a poweroff -d 'Switch the machine off'
complete -c stillboot -l json -xa 'pretty short off' -d 'Print data as JSON'
complete -c stillboot -l host -x -d 'The daemon to talk to: unix:PATH'
complete -c stillboot -l root -xa '(__fish_complete_directories)' -d 'Take this directory for /'
complete -c stillboot -l help -d 'Help'
complete -c stillboot -l version -d 'Version'
complete -c stillboot -n '__fish_seen_subcommand_from list' -l watch -d 'Go on with what comes and goes'
complete -c stillboot -n '__fish_seen_subcommand_from boot' -a '@default (__stillboot_ids list)'
complete -c stillboot -n '__fish_seen_subcommand_from boot' -l append -x -d 'Add to the command line'
complete -c stillboot -n '__fish_seen_subcommand_from boot' -l args -x -d 'Use this command line instead'
complete -c stillboot -n '__fish_seen_subcommand_from boot' -l dry-run -d 'Print the plan'
complete -c stillboot -n '__fish_seen_subcommand_from boot' -l wait -d 'Show how it goes'
complete -c stillboot -n '__fish_seen_subcommand_from rescan' -a '(__stillboot_ids devices)'
complete -c stillboot -n '__fish_seen_subcommand_from log' -s f -l follow -d 'Go on with each new line'
complete -c stillboot -n '__fish_seen_subcommand_from quiesce' -a 'plan run verify record'
complete -c stillboot -n '__fish_seen_subcommand_from quiesce' -l inventory -r -d 'Plan this recorded machine'
complete -c stillboot -n '__fish_seen_subcommand_from quiesce' -l identities -d 'Leave serial numbers, addresses and names in'
complete -c stillboot -n '__fish_seen_subcommand_from explain load' -F
complete -c stillboot -n '__fish_seen_subcommand_from explain' -l uuid -x -d 'Its UUID'
complete -c stillboot -n '__fish_seen_subcommand_from explain' -l label -x -d 'Its label'
complete -c stillboot -n '__fish_seen_subcommand_from explain' -l device -x -d 'Its id'
complete -c stillboot -n '__fish_seen_subcommand_from explain' -l also -r -d 'Another file system'
complete -c stillboot -n '__fish_seen_subcommand_from load' -l initrd -r -d 'An initrd'
complete -c stillboot -n '__fish_seen_subcommand_from load' -l append -x -d 'Its command line'
complete -c stillboot -n '__fish_seen_subcommand_from load' -l exec -d 'Hand over to it'
complete -c stillboot -n '__fish_seen_subcommand_from load' -l devicetree -r -d 'A devicetree'
complete -c stillboot -n '__fish_seen_subcommand_from load' -l dry-run -d 'Print the plan'
complete -c stillboot -n '__fish_seen_subcommand_from menu' -l shell -r -d 'What its shell key starts'
