"""The command lines of etcd, Kubernetes and kwok. Pure: paths and ports in, commands out."""

import ipaddress
import zlib
from collections.abc import Mapping

from devloop.clients.ports import LOOPBACK
from devloop.model.cluster.definition import ClusterDefinition
from devloop.provisioners.embedded.simulated_failures import stages
from devloop.runtime.components import Component, ComponentContext, Program

ETCD_SOCKET = "unix://etcd.sock"


def etcd(context: ComponentContext) -> Component:
    """On Unix sockets: faster than TLS, inaccessible to other users, with a fixed address."""
    # Unused: there are no peers, and the only client uses the socket.
    nowhere = f"http://{LOOPBACK}:1"
    return context.command(
        "etcd",
        {
            "name": "devloop",
            "data-dir": context.layout.folder / "etcd",
            "unsafe-no-fsync": "true",  # losing the last writes in a power cut is fine
            "listen-client-urls": ETCD_SOCKET,
            "advertise-client-urls": nowhere,
            "listen-peer-urls": "unix://etcd-peer.sock",
            "initial-advertise-peer-urls": nowhere,
            "initial-cluster": f"devloop={nowhere}",
            "heartbeat-interval": 20,  # milliseconds
            "election-timeout": 200,  # the only member elects itself after this time
            "logger": "zap",
            "log-level": "warn",
        },
    )


def kube_apiserver(context: ComponentContext) -> Component:
    pki = context.layout.pki
    flags = {
        "bind-address": LOOPBACK,
        "advertise-address": LOOPBACK,
        "secure-port": context.ports["kube-apiserver"],
        "etcd-servers": ETCD_SOCKET,
        "client-ca-file": pki / "ca.crt",
        "tls-cert-file": pki / "kube-apiserver.crt",
        "tls-private-key-file": pki / "kube-apiserver.key",
        "anonymous-auth": "false",
        "authorization-mode": "RBAC",  # without kubelets there is no need for the Node authorizer
        "allow-privileged": "true",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": pki / "service-account.key",
        "service-account-signing-key-file": pki / "service-account.key",
        "service-cluster-ip-range": context.definition.network.service_subnet,
        "profiling": "false",
        "endpoint-reconciler-type": "none",  # endpoints cannot be on loopback, and simulated pods do not need them
    }
    # Fewer garbage collections make the start 10% faster and cost little memory.
    return context.command("kube-apiserver", flags, GOGC="400", GOMEMLIMIT="500MiB")


def kube_controller_manager(context: ComponentContext) -> Component:
    pki = context.layout.pki
    flags = {
        **_leaderless(context, "kube-controller-manager"),
        "root-ca-file": pki / "ca.crt",
        "service-account-private-key-file": pki / "service-account.key",
        "concurrent-deployment-syncs": 10,
        "concurrent-replicaset-syncs": 10,
    }
    return context.command("kube-controller-manager", flags, **context.client())


def kube_scheduler(context: ComponentContext) -> Component:
    return context.command("kube-scheduler", _leaderless(context, "kube-scheduler"), **context.client())


def _leaderless(context: ComponentContext, name: str) -> dict[str, object]:
    """Without an HTTP server: the supervisor watches the process."""
    flags = {"leader-elect": "false", "secure-port": 0, "profiling": "false", "kube-api-qps": 200, "kube-api-burst": 300}
    return {"kubeconfig": context.layout.kubeconfig(name), **flags}


def kwok(context: ComponentContext) -> Component:
    flags = {
        "kubeconfig": context.layout.kubeconfig("kwok"),
        "config": context.layout.stages,
        "manage-all-nodes": "true",
        # Without leases the controller manager considers the nodes dead after 50 seconds. A killed kwok holds its leases for this long.
        "node-lease-duration-seconds": 8,
        "cidr": context.definition.network.pod_subnet.split(",")[0],
        "node-ip": LOOPBACK,
        "server-address": "",  # no server: it would be open to all users of the machine
        "node-port": 0,
    }
    # Other stages restart kwok.
    return context.command("kwok", flags, **context.client(), DEVLOOP_STAGES=str(zlib.crc32(stages().encode())))


def service_address(definition: ClusterDefinition) -> str:
    """The cluster IP of the `kubernetes` Service: the first address of the (first) service subnet."""
    return str(ipaddress.ip_network(definition.network.service_subnet.split(",")[0], strict=False)[1])


# The last hooks before the API server is ready; masters do not need them.
_NOT_AWAITED = ("rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes")
_READY = "/readyz?" + "&".join(f"exclude=poststarthook/{hook}" for hook in _NOT_AWAITED)

FIRST: Mapping[str, Program] = {"etcd": Program(etcd), "kube-apiserver": Program(kube_apiserver, _READY, tls=True)}
REST: Mapping[str, Program] = {
    "kube-controller-manager": Program(kube_controller_manager),
    "kube-scheduler": Program(kube_scheduler),
    "kwok": Program(kwok),
}
CONTROL_PLANE = {**FIRST, **REST}
