#!/usr/bin/env bash
# Installs what only some tests need: podman with its helpers, for runs in containers, SLURM, for runs under a scheduler,
# Chromium, to look at reports, and BLAST+, for truths made of reference genomes. It needs Debian or Ubuntu, and root.
# Where it cannot install them it says why and does no harm: the tests that need them are skipped then, and say so too.
set -euo pipefail

# A program that shows that a package is there, and the package
readonly NEEDED=(podman:podman buildah:buildah runc:runc debootstrap:debootstrap fuse-overlayfs:fuse-overlayfs
    newuidmap:uidmap slurmctld:slurm-wlm slurmd:slurm-wlm chromium:chromium blastn:ncbi-blast+)

say() { printf 'binloom: %s\n' "$*" >&2; }

# Root finds these programs, also where PATH leaves out the folders of the administrator.
PATH=$PATH:/usr/sbin:/sbin

packages=()
for pair in "${NEEDED[@]}"; do
    if ! type -P "${pair%:*}" >/dev/null && [[ " ${packages[*]} " != *" ${pair#*:} "* ]]; then packages+=("${pair#*:}"); fi
done
((${#packages[@]} > 0)) || exit 0

give_up() { # REASON
    say "not installed, so that the tests that need them are skipped: ${packages[*]} ($1)"
    exit 0
}

type -P apt-get >/dev/null || give_up 'this system has no apt-get'
((UID == 0)) || give_up 'installing them needs root: sudo make testbed'
say "installing for the tests: ${packages[*]}"
log=$(mktemp)
trap 'rm "$log"' EXIT
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y "${packages[@]}"; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    give_up 'apt-get failed: see above'
fi
