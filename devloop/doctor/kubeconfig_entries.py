"""The entries of an environment in the user's kubeconfig, without private keys."""

import base64
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devloop.clients.kubeconfig import contents, user_kubeconfig
from devloop.errors import DevloopError
from devloop.provisioners import PROVISIONERS


@dataclass(frozen=True)
class KubeconfigEntry:
    """One context: the API server's URL, its CA and the user's certificate as PEM, b'' if missing."""

    context: str
    server: str
    authority: bytes
    certificate: bytes


def contexts(name: str) -> tuple[str, ...]:
    """The context names of the provisioners for a cluster of that name."""
    return tuple(registered.context.format(name=name) for registered in PROVISIONERS.values())


def kubeconfig_entries(name: str) -> tuple[KubeconfigEntry, ...]:
    """The environment's entries; none if the file cannot be read, which the check of the kubeconfig reports."""
    try:
        config = contents(user_kubeconfig())
    except DevloopError:
        return ()
    found = (_access(config, context) for context in contexts(name))
    return tuple(entry for entry in found if entry)


def _access(config: Mapping[str, Any], context: str) -> KubeconfigEntry | None:
    entry = _named(config, "contexts", context).get("context", {})
    cluster = _named(config, "clusters", entry.get("cluster")).get("cluster", {})
    user = _named(config, "users", entry.get("user")).get("user", {})
    if "server" not in cluster:
        return None
    return KubeconfigEntry(context, cluster["server"], _pem(cluster, "certificate-authority-data"), _pem(user, "client-certificate-data"))


def _named(config: Mapping[str, Any], section: str, name: object) -> Mapping[str, Any]:
    items = config[section]
    return next((item for item in items if item.get("name") == name), {}) if isinstance(items, list) else {}


def _pem(entry: Mapping[str, Any], key: str) -> bytes:
    with contextlib.suppress(ValueError):
        return base64.b64decode(entry.get(key, ""))
    return b""
