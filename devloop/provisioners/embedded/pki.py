"""An environment's certificates and kubeconfigs; nothing of it is known outside the environment's folder."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from devloop.clients.ports import LOOPBACK
from devloop.model.flux.names import CONTROLLERS, NAMESPACE
from devloop.provisioners.embedded.authority import key_pem, new_authority, new_key
from devloop.runtime.layout import Layout

SERVER = "kube-apiserver"
MASTERS = ("system:masters",)
SERVICE_ACCOUNTS = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")

# Who may call the API server: file name -> (user, groups). The control plane's own parts are masters, so that they need not wait for the
# API server to write its RBAC rules; the Flux controllers are the service accounts that they are in a cluster, and RBAC holds for them.
USERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("devloop:admin", MASTERS),
    "kube-controller-manager": ("system:kube-controller-manager", MASTERS),
    "kube-scheduler": ("system:kube-scheduler", MASTERS),
    "kwok": ("devloop:kwok", MASTERS),
} | {name: (f"system:serviceaccount:{NAMESPACE}:{name}", SERVICE_ACCOUNTS) for name in CONTROLLERS}


def ensure_pki(layout: Layout, service_address: str) -> None:
    """Make it where it is missing or incomplete; `service_address` is the cluster IP of the `kubernetes` Service."""
    complete = layout.pki / "complete"
    if complete.exists():
        return
    authority = new_authority("devloop")
    layout.write(layout.pki / "ca.crt", authority.pem)
    layout.write(layout.pki / "service-account.key", key_pem(new_key()))
    hosts = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", LOOPBACK, service_address)
    issued = {SERVER: authority.issue(SERVER, hosts=hosts)} | {name: authority.issue(*user) for name, user in USERS.items()}
    for name, pair in issued.items():
        layout.write(layout.pki / f"{name}.crt", pair.certificate)
        layout.write(layout.pki / f"{name}.key", pair.key)
    layout.write(complete, "")


def write_kubeconfigs(layout: Layout, server: str) -> None:
    """A kubeconfig for every user, for the API server at `server` (https://127.0.0.1:port)."""
    for name in USERS:
        layout.write(layout.kubeconfig(name), json.dumps(kubeconfig(layout, name, server, "devloop")))


def kubeconfig(layout: Layout, user: str, server: str, context: str) -> dict[str, object]:
    """A kubeconfig with everything inside, as data; holds a private key."""
    cluster = {"server": server, "certificate-authority-data": _encoded(layout, "ca.crt")}
    credentials = {"client-certificate-data": _encoded(layout, f"{user}.crt"), "client-key-data": _encoded(layout, f"{user}.key")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": context, "user": credentials}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }


def _encoded(layout: Layout, name: str) -> str:
    return base64.b64encode((layout.pki / name).read_bytes()).decode()
