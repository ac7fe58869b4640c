#!/usr/bin/env bash
# Prepares a bare Debian or Ubuntu test host for Kind and for building devloop's images: a running Docker engine, and mmdebstrap.
# Safe to repeat. Leaves an engine that already answers alone.
set -euo pipefail

# Only installation and start-up need root.
root=()
[ "$(id -u)" = 0 ] || root=(sudo -n)
here=$(cd "$(dirname "$0")" && pwd)
log=${DOCKERD_LOG:-/var/log/dockerd.log}

say() { echo "prepare_test_host: $*" >&2; }

answers() { timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null; }

install_missing() { # PROGRAM PACKAGE...
    command -v "$1" >/dev/null && return
    say "installing ${*:2}"
    # A failing third-party repository need not matter; if a package is missing, the installation fails.
    "${root[@]}" apt-get update -qq || true
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${@:2}" >/dev/null
}

# Bit 24 of the bounding set (capabilities(7)).
lacks_sys_resource() {
    local set
    set=$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)
    ! (( (16#$set >> 24) & 1 ))
}

# Docker's --privileged requests all capabilities; if the host denies one, a wrapper around runc omits it.
install_wrapper() {
    [ -e /etc/docker/daemon.json ] && { say "keeping the existing /etc/docker/daemon.json"; return; }
    say "this host denies CAP_SYS_RESOURCE, installing a runtime that works without it"
    "${root[@]}" install -D -m 0755 "$here/runc_without_resource.sh" /usr/local/libexec/devloop-runc
    "${root[@]}" install -d /etc/docker
    "${root[@]}" tee /etc/docker/daemon.json >/dev/null <<-'JSON'
	{
	  "default-runtime": "devloop-runc",
	  "runtimes": {"devloop-runc": {"path": "/usr/local/libexec/devloop-runc"}}
	}
	JSON
}

# With the PID file of a killed engine, the next one would believe that it already runs once another process has that PID.
forget_dead() { # PROGRAM PIDFILE
    local pid
    pid=$(cat "$2" 2>/dev/null) || return 0
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || "${root[@]}" rm -f "$2"
}

start() {
    say "starting dockerd, its log is $log"
    if [ -d /run/systemd/system ]; then
        "${root[@]}" systemctl start docker
    else
        forget_dead dockerd /var/run/docker.pid
        forget_dead containerd /var/run/docker/containerd/containerd.pid
        setsid nohup "${root[@]}" dockerd >>"$log" 2>&1 </dev/null &
    fi
    for _ in $(seq 120); do
        answers >/dev/null && return
        sleep 0.25
    done
    say "dockerd does not answer; the end of $log:"
    tail -n 20 "$log" >&2
    exit 1
}

if [ -z "$(answers)" ]; then
    install_missing dockerd docker.io iptables
    install_missing docker docker-cli # a separate package in newer distributions
    if lacks_sys_resource; then install_wrapper; fi
    start
fi
install_missing mmdebstrap mmdebstrap debian-archive-keyring
say "Docker $(answers) answers"
