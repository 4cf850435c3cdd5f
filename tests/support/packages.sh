#!/usr/bin/env bash
# Installs the Debian packages that the tests need, where the programs are missing. `packages.sh venv`: Python's venv.
set -euo pipefail

wanted=()
# need PACKAGE FILE...: the package is wanted unless one of the files is there.
need() {
    local package=$1 file
    shift
    for file in "$@"; do
        compgen -G "$file" >/dev/null && return
        [[ $file == */* ]] || ! command -v "$file" >/dev/null || return 0
    done
    wanted+=("$package")
}

if [[ ${1:-} == venv ]]; then
    wanted=(python3-venv)
else
    need chromium chromium
    need postgresql '/usr/lib/postgresql/*/bin/initdb' initdb
    need xmlsec1 xmlsec1
    need apache2 /usr/sbin/apache2
    need libapache2-mod-auth-mellon /usr/lib/apache2/modules/mod_auth_mellon.so
    need libapache2-mod-auth-openidc /usr/lib/apache2/modules/mod_auth_openidc.so
    need nodejs node
    need npm npm
fi
((${#wanted[@]})) || exit 0

echo "Installing: ${wanted[*]}"
sudo=()
if ((EUID != 0)); then
    command -v sudo >/dev/null || { echo "As root: apt-get install ${wanted[*]}" >&2; exit 1; }
    sudo=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
