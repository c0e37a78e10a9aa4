# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Which packages each task needs, by release of Debian, and their installation.

# "bookworm", "trixie": the release of this machine.
debian_release() {
    local codename
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}") || true
    case $codename in
        bookworm | trixie) echo "$codename" ;;
        *) die "this is '${codename:-not Debian}': the package lists know Debian 12 (bookworm) and 13 (trixie)" ;;
    esac
}

# The packages of some groups, for a release: the lists are dev.d/packages/GROUP and GROUP.RELEASE.
# usage: packages_of RELEASE GROUP...
packages_of() {
    local release=$1 group list
    shift
    for group in "$@"; do
        for list in "$top/dev.d/packages/$group" "$top/dev.d/packages/$group.$release"; do
            if [ -f "$list" ]; then sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$list"; fi
        done
    done
}

# Installs what is missing of some groups, from the package sources that this machine is set up with.
need_packages() {
    local release missing=() package
    release=$(debian_release)
    for package in $(packages_of "$release" "$@"); do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing packages: ${missing[*]}"
    if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -print -quit 2>/dev/null)" ]; then
        logged apt-update as_root apt-get update
    fi
    install_packages "${missing[@]}" && return
    say "that failed: the package lists may be old; reading them again"
    logged apt-update as_root apt-get update
    install_packages "${missing[@]}" || die "apt-get cannot install: ${missing[*]} (see $cache/logs/apt-install.log)"
}

install_packages() {
    mkdir -p "$cache/logs"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=600 "$@" >"$cache/logs/apt-install.log" 2>&1 </dev/null
}

# The package sources of a suite as sources.list lines, on the mirror that this machine is set up with.
suite_sources() {
    local suite=$1 targets main security
    # shellcheck disable=SC2016 # expanded by apt-get
    targets=$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Identifier: Packages')
    main=$(awk -F'|' '$1 == "Debian" { print $2; exit }' <<<"$targets")
    security=$(awk -F'|' '$1 == "Debian-Security" { print $2; exit }' <<<"$targets")
    [ -n "$main" ] || die "apt has no Debian archive in its configuration: cannot tell where to get $suite from"
    printf 'deb %s %s main\ndeb %s %s-updates main\n' "$main" "$suite" "$main" "$suite"
    [ -z "$security" ] || printf 'deb %s %s-security main\n' "$security" "$suite"
}

# Runs an apt program over the package lists of a suite, apart from this machine's own.
# usage: apt_of SUITE apt-get|apt-cache ARGS...
apt_of() {
    local suite=$1 state=$cache/apt/$1 program=$2
    shift 2
    "$program" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State="$state/state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
        -o APT::Sandbox::User=root "$@"
}

prepare_apt_of() {
    local suite=$1 state=$cache/apt/$1
    [ ! -f "$state/ready" ] || return 0
    say "reading the package lists of $suite"
    mkdir -p "$state"/{state/lists/partial,cache/archives/partial}
    : >"$state/status"
    suite_sources "$suite" >"$state/sources.list"
    logged "apt-$suite" apt_of "$suite" apt-get update
    touch "$state/ready"
}

# Downloads packages of a suite and unpacks them into a directory; nothing is installed.
# usage: unpack_packages SUITE DIRECTORY PACKAGE...
unpack_packages() {
    local suite=$1 into=$2 debs
    shift 2
    debs=$(mktemp -d "$cache/debs.XXXXXX")
    (cd "$debs" && logged "download-$suite" apt_of "$suite" apt-get download "$@")
    mkdir -p "$into"
    find "$debs" -name '*.deb' -exec dpkg-deb -x {} "$into" \;
    rm -rf "$debs"
}
