"""The command lines of everything that an embedded environment runs. Pure: paths and ports in, commands out."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from devloop.model.definition import ClusterDefinition
from devloop.provisioners import ToolPaths
from devloop.provisioners.embedded.layout import Layout

HOST = "127.0.0.1"

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
GIT_SERVER = "git-server"

# What needs a port of its own. The scheduler and the controller manager serve nothing: whether they live, the supervisor knows.
PORTS = (
    "etcd",
    "etcd-peer",
    "kube-apiserver",
    "kwok",
    GIT_SERVER,
    "artifacts",
    *(f"{name}-{kind}" for name in ("source-controller", "kustomize-controller", "helm-controller") for kind in ("metrics", "health")),
)


@dataclass(frozen=True)
class Component:
    """One process: `argv` without secrets, `env` on top of the little that every component gets."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Commands:
    """Builds the commands for one environment."""

    layout: Layout
    definition: ClusterDefinition
    tools: ToolPaths
    ports: Mapping[str, int]

    @property
    def api_server(self) -> str:
        return f"https://{HOST}:{self.ports['kube-apiserver']}"

    def of(self, name: str) -> Component:
        """The command of any component; a Flux controller for every name that is nothing else."""
        builders = {
            "etcd": self._etcd,
            "kube-apiserver": self._api_server,
            "kube-controller-manager": self._controller_manager,
            "kube-scheduler": self._scheduler,
            "kwok": self._kwok,
            GIT_SERVER: self._git_server,
        }
        return builders[name]() if name in builders else self._flux_controller(name)

    def _etcd(self) -> Component:
        client, peer = (f"https://{HOST}:{self.ports[port]}" for port in ("etcd", "etcd-peer"))
        pki = self.layout.pki
        flags = {
            "name": "devloop",
            "data-dir": self.layout.folder / "etcd",
            # The data is as short-lived as the cluster: losing the last writes in a power cut is fine.
            "unsafe-no-fsync": "true",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"devloop={peer}",
            "force-new-cluster": "true" if (self.layout.folder / "etcd").exists() else "false",
            "heartbeat-interval": 20,
            "election-timeout": 200,
            "logger": "zap",
            "log-level": "warn",
        }
        for prefix in ("", "peer-"):
            flags |= {f"{prefix}cert-file": pki / "etcd.crt", f"{prefix}key-file": pki / "etcd.key"}
            flags |= {f"{prefix}trusted-ca-file": pki / "ca.crt", f"{prefix}client-cert-auth": "true"}
        return self._command("etcd", flags)

    def _api_server(self) -> Component:
        pki = self.layout.pki
        flags = {
            "bind-address": HOST,
            "advertise-address": HOST,
            "secure-port": self.ports["kube-apiserver"],
            "etcd-servers": f"https://{HOST}:{self.ports['etcd']}",
            "etcd-cafile": pki / "ca.crt",
            "etcd-certfile": pki / "kube-apiserver.crt",
            "etcd-keyfile": pki / "kube-apiserver.key",
            "client-ca-file": pki / "ca.crt",
            "tls-cert-file": pki / "kube-apiserver.crt",
            "tls-private-key-file": pki / "kube-apiserver.key",
            "authorization-mode": "Node,RBAC",
            "anonymous-auth": "false",
            "allow-privileged": "true",
            "enable-admission-plugins": "NodeRestriction",
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "service-account-key-file": pki / "service-account.key",
            "service-account-signing-key-file": pki / "service-account.key",
            "service-cluster-ip-range": self.definition.network.service_subnet,
            "profiling": "false",
            "endpoint-reconciler-type": "none",
        }
        return self._command("kube-apiserver", flags, GOGC="200")

    def _controller_manager(self) -> Component:
        pki = self.layout.pki
        flags = {
            **self._client("kube-controller-manager"),
            "root-ca-file": pki / "ca.crt",
            "service-account-private-key-file": pki / "service-account.key",
            "kube-api-qps": 200,
            "kube-api-burst": 300,
            "concurrent-deployment-syncs": 10,
            "concurrent-replicaset-syncs": 10,
        }
        return self._command("kube-controller-manager", flags)

    def _scheduler(self) -> Component:
        return self._command("kube-scheduler", {**self._client("kube-scheduler"), "kube-api-qps": 200, "kube-api-burst": 300})

    def _client(self, name: str) -> dict[str, object]:
        return {"kubeconfig": self.layout.kubeconfig(name), "leader-elect": "false", "secure-port": 0, "profiling": "false"}

    def _kwok(self) -> Component:
        flags = {
            "kubeconfig": self.layout.kubeconfig("kwok"),
            "manage-all-nodes": "true",
            # Without leases the controller manager takes the nodes for dead after 50 seconds.
            "node-lease-duration-seconds": 40,
            "server-address": f"{HOST}:{self.ports['kwok']}",
            "cidr": _pod_subnet(self.definition.network.pod_subnet),
            "node-ip": HOST,
        }
        return self._command("kwok", flags)

    def _git_server(self) -> Component:
        argv = (sys.executable, "-m", "devloop.provisioners.embedded.git_server", str(self.layout.folder), str(self.ports[GIT_SERVER]))
        return Component(GIT_SERVER, argv)

    def _flux_controller(self, name: str) -> Component:
        flags: dict[str, object] = {
            "watch-all-namespaces": "true",
            "enable-leader-election": "false",
            "metrics-addr": f"{HOST}:{self.ports[f'{name}-metrics']}",
            "health-addr": f"{HOST}:{self.ports[f'{name}-health']}",
            "events-addr": "",
            "log-level": "info",
            "log-encoding": "json",
            # Where Flux spends its time on one repository, see its controllers' flags: first retries, dependencies, jitter, throttling.
            "min-retry-delay": "20ms",
            "requeue-dependency": "100ms",
            "interval-jitter-percentage": 0,
            "concurrent": 10,
            "kube-api-qps": 500,
            "kube-api-burst": 1000,
            **self._own_flags(name),
        }
        env = {"RUNTIME_NAMESPACE": "flux-system", "KUBECONFIG": str(self.layout.kubeconfig(name))}
        return self._command(name, flags, **env)

    def _own_flags(self, name: str) -> dict[str, object]:
        if name == "source-controller":
            address = f"{HOST}:{self.ports['artifacts']}"
            return {"storage-path": self.layout.artifacts, "storage-addr": address, "storage-adv-addr": address}
        if name == "kustomize-controller":
            # An annotation then restarts a health check that runs, instead of waiting for its next look five seconds later.
            return {"feature-gates": "CancelHealthCheckOnNewRevision=true", "sops-age-secret": "sops-age"}
        return {}

    def _command(self, name: str, flags: Mapping[str, object], **env: str) -> Component:
        return Component(name, (str(self.tools.path(name)), *(f"--{key}={value}" for key, value in flags.items())), env)


def service_address(definition: ClusterDefinition) -> str:
    """The cluster IP of the `kubernetes` Service: the first of the service subnet (of its first one in dual stack)."""
    return str(ipaddress.ip_network(definition.network.service_subnet.split(",")[0])[1])


def _pod_subnet(subnet: str) -> str:
    return subnet.split(",")[0]


def environment_for(layout: Layout, component_env: Mapping[str, str], path: str) -> dict[str, str]:
    """All that a component sees of our environment: nothing of the user's secrets."""
    home = str(layout.temporary)
    return {"PATH": path, "HOME": home, "TMPDIR": home, MARKER: str(layout.folder), **component_env}


# Every process of an environment carries this variable: what remains of a killed supervisor can be found by it.
MARKER = "DEVLOOP_ENVIRONMENT_FOLDER"

__all__ = ["CONTROL_PLANE", "GIT_SERVER", "MARKER", "PORTS", "Commands", "Component", "Path", "environment_for", "service_address"]
