"""The command lines of etcd, Kubernetes and kwok. Pure: paths and ports in, commands out."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from devloop.clients.ports import LOOPBACK
from devloop.model.cluster.definition import ClusterDefinition
from devloop.runtime.components import Component, ComponentContext, Program

ETCD_SOCKET = "unix://etcd.sock"


def etcd(site: ComponentContext) -> Component:
    """On Unix sockets: quicker than TLS, out of other users' reach, and always at the same address."""
    # Nobody connects to these: a cluster of one has no peers, and its only client has the socket.
    nowhere = f"http://{LOOPBACK}:1"
    return site.command(
        "etcd",
        {
            "name": "devloop",
            "data-dir": site.layout.folder / "etcd",
            # The data is as short-lived as the cluster: losing the last writes in a power cut is fine.
            "unsafe-no-fsync": "true",
            "listen-client-urls": ETCD_SOCKET,
            "advertise-client-urls": nowhere,
            "listen-peer-urls": "unix://etcd-peer.sock",
            "initial-advertise-peer-urls": nowhere,
            "initial-cluster": f"devloop={nowhere}",
            # Milliseconds: the only member elects itself as soon as it may.
            "heartbeat-interval": 20,
            "election-timeout": 200,
            "logger": "zap",
            "log-level": "warn",
        },
    )


def kube_apiserver(site: ComponentContext) -> Component:
    pki = site.layout.pki
    flags = {
        "bind-address": LOOPBACK,
        "advertise-address": LOOPBACK,
        "secure-port": site.ports["kube-apiserver"],
        "etcd-servers": ETCD_SOCKET,
        "client-ca-file": pki / "ca.crt",
        "tls-cert-file": pki / "kube-apiserver.crt",
        "tls-private-key-file": pki / "kube-apiserver.key",
        "anonymous-auth": "false",
        # No kubelet runs here that the Node authorizer would be for.
        "authorization-mode": "RBAC",
        "allow-privileged": "true",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": pki / "service-account.key",
        "service-account-signing-key-file": pki / "service-account.key",
        "service-cluster-ip-range": site.definition.network.service_subnet,
        "profiling": "false",
        # Pods are simulated: none ever asks for the endpoints of the API server, which may not be on loopback anyway.
        "endpoint-reconciler-type": "none",
    }
    # Fewer collections while it starts cost little memory and save a tenth of its time.
    return site.command("kube-apiserver", flags, GOGC="400", GOMEMLIMIT="500MiB")


def kube_controller_manager(site: ComponentContext) -> Component:
    pki = site.layout.pki
    flags = {
        **_leaderless(site, "kube-controller-manager"),
        "root-ca-file": pki / "ca.crt",
        "service-account-private-key-file": pki / "service-account.key",
        "concurrent-deployment-syncs": 10,
        "concurrent-replicaset-syncs": 10,
    }
    return site.command("kube-controller-manager", flags, **site.client())


def kube_scheduler(site: ComponentContext) -> Component:
    return site.command("kube-scheduler", _leaderless(site, "kube-scheduler"), **site.client())


def _leaderless(site: ComponentContext, name: str) -> dict[str, object]:
    """Serving nothing: whether it lives, the supervisor knows."""
    return {
        "kubeconfig": site.layout.kubeconfig(name),
        "leader-elect": "false",
        "secure-port": 0,
        "profiling": "false",
        "kube-api-qps": 200,
        "kube-api-burst": 300,
    }


def kwok(site: ComponentContext) -> Component:
    flags = {
        "kubeconfig": site.layout.kubeconfig("kwok"),
        "manage-all-nodes": "true",
        # Without leases the controller manager takes the nodes for dead after 50 seconds; a kwok that was killed holds them for this long.
        "node-lease-duration-seconds": 8,
        "cidr": site.definition.network.pod_subnet.split(",")[0],
        "node-ip": LOOPBACK,
        # No server: it would hand out what it knows to every user of the machine.
        "server-address": "",
        "node-port": 0,
    }
    return site.command("kwok", flags, **site.client())


def service_address(definition: ClusterDefinition) -> str:
    """The cluster IP of the `kubernetes` Service: the first of the service subnet (of its first one in dual stack)."""
    return str(ipaddress.ip_network(definition.network.service_subnet.split(",")[0], strict=False)[1])


# What the API server does last, before it calls itself ready: it is for others than its masters.
_NOT_AWAITED = ("rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes")
_READY = "/readyz?" + "&".join(f"exclude=poststarthook/{hook}" for hook in _NOT_AWAITED)

# What everything else needs, and everything else.
FIRST: Mapping[str, Program] = {"etcd": Program(etcd), "kube-apiserver": Program(kube_apiserver, _READY, tls=True)}
REST: Mapping[str, Program] = {
    "kube-controller-manager": Program(kube_controller_manager),
    "kube-scheduler": Program(kube_scheduler),
    "kwok": Program(kwok),
}
CONTROL_PLANE = {**FIRST, **REST}
