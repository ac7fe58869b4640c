#!/usr/bin/env bash
# Makes a bare Debian or Ubuntu test host able to run Kind and to make devloop's images: a Docker engine that runs, and mmdebstrap.
# Twice is fine. An engine that answers already is left alone, whatever it is.
set -euo pipefail

# Only installing and starting need root.
root=()
[ "$(id -u)" = 0 ] || root=(sudo -n)
here=$(cd "$(dirname "$0")" && pwd)
log=${DOCKERD_LOG:-/var/log/dockerd.log}

say() { echo "prepare_test_host: $*" >&2; }

answers() { timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null; }

install_missing() { # PROGRAM PACKAGE...
    command -v "$1" >/dev/null && return
    say "installing ${*:2}"
    # A list of somebody else's that cannot be fetched is no reason to give up: what is missing then, the installation says.
    "${root[@]}" apt-get update -qq || true
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${@:2}" >/dev/null
}

# Bit 24 of the bounding set (capabilities(7)).
lacks_sys_resource() {
    local set
    set=$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)
    ! (( (16#$set >> 24) & 1 ))
}

# Docker's --privileged asks for every capability; where the host withholds one, a wrapper around runc does without it.
install_wrapper() {
    [ -e /etc/docker/daemon.json ] && { say "/etc/docker/daemon.json is there, leaving it as it is"; return; }
    say "this host withholds CAP_SYS_RESOURCE, installing a runtime that does without"
    "${root[@]}" install -D -m 0755 "$here/runc_without_resource.sh" /usr/local/libexec/devloop-runc
    "${root[@]}" install -d /etc/docker
    "${root[@]}" tee /etc/docker/daemon.json >/dev/null <<-'JSON'
	{
	  "default-runtime": "devloop-runc",
	  "runtimes": {"devloop-runc": {"path": "/usr/local/libexec/devloop-runc"}}
	}
	JSON
}

# What a killed engine leaves would make the next one believe that it runs already, once its number belongs to another process.
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
    install_missing docker docker-cli # a package of its own in newer distributions
    if lacks_sys_resource; then install_wrapper; fi
    start
fi
install_missing mmdebstrap mmdebstrap debian-archive-keyring
say "Docker $(answers) answers"
