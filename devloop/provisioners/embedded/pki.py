"""An environment's certificates and kubeconfigs."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from devloop.clients import private_files
from devloop.clients.kubeconfig import single_context
from devloop.clients.ports import LOOPBACK
from devloop.model.flux.names import CONTROLLERS, NAMESPACE
from devloop.runtime.layout import Layout

SERVER = "kube-apiserver"
MASTERS = ("system:masters",)
SERVICE_ACCOUNTS = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")

# Clients of the API server: file name -> (user, groups). The control plane's components are masters, so that they need not wait for the
# default RBAC rules; the Flux controllers are service accounts with RBAC, as in any cluster.
USERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("devloop:admin", MASTERS),
    "kube-controller-manager": ("system:kube-controller-manager", MASTERS),
    "kube-scheduler": ("system:kube-scheduler", MASTERS),
    "kwok": ("devloop:kwok", MASTERS),
} | {name: (f"system:serviceaccount:{NAMESPACE}:{name}", SERVICE_ACCOUNTS) for name in CONTROLLERS}


def ensure_pki(layout: Layout, service_address: str) -> None:
    """Create it if it is missing or incomplete; `service_address` is the cluster IP of the `kubernetes` Service."""
    complete = layout.pki / "complete"
    if complete.exists():
        return
    from devloop.provisioners.embedded.authority import key_pem, new_authority, new_key

    authority = new_authority("devloop")
    private_files.write(layout.pki / "ca.crt", authority.pem)
    private_files.write(layout.pki / "service-account.key", key_pem(new_key()))
    hosts = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", LOOPBACK, service_address)
    issued = {SERVER: authority.issue(SERVER, hosts=hosts)} | {name: authority.issue(*user) for name, user in USERS.items()}
    for name, pair in issued.items():
        private_files.write(layout.pki / f"{name}.crt", pair.certificate)
        private_files.write(layout.pki / f"{name}.key", pair.key)
    private_files.write(complete, "")


def write_kubeconfigs(layout: Layout, server: str) -> None:
    """Write a kubeconfig per user; `server` is the URL of the API server."""
    for name in USERS:
        private_files.write(layout.kubeconfig(name), json.dumps(kubeconfig(layout, name, server, "devloop")))


def kubeconfig(layout: Layout, user: str, server: str, context: str) -> dict[str, Any]:
    """A self-contained kubeconfig with the user's private key."""
    cluster = {"server": server, "certificate-authority-data": _encoded(layout, "ca.crt")}
    credentials = {"client-certificate-data": _encoded(layout, f"{user}.crt"), "client-key-data": _encoded(layout, f"{user}.key")}
    return single_context(context, cluster, credentials)


def _encoded(layout: Layout, name: str) -> str:
    return base64.b64encode((layout.pki / name).read_bytes()).decode()
