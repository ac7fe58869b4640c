"""Where the API of a registry is: on its own host, or on a mirror."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from devloop.clients.http.connections import is_loopback
from devloop.errors import InputError
from devloop.model.kubernetes.image import DOCKER, require_image

# HOST=ENDPOINT, separated by commas, as for `ksail cluster init --mirror-registry`.
VARIABLE = "DEVLOOP_REGISTRY_MIRRORS"

# The API of Docker's own registry: https://docs.docker.com/reference/api/registry/
_DOCKER_API = f"registry-1.{DOCKER}"


@dataclass(frozen=True)
class Repository:
    """`url` is that of its API."""

    host: str
    url: str


def mirrors() -> dict[str, str]:
    """Registry -> endpoint, from DEVLOOP_REGISTRY_MIRRORS. An endpoint is [http[s]://]HOST[:PORT][/PREFIX]."""
    entries = [entry.strip() for entry in os.environ.get(VARIABLE, "").split(",") if entry.strip()]
    pairs = [entry.partition("=") for entry in entries]
    if wrong := [entry for entry, (host, _, endpoint) in zip(entries, pairs, strict=True) if not host or not endpoint]:
        raise InputError(
            f"{VARIABLE} has an entry {wrong[0]!r}", hint="write HOST=ENDPOINT, for example docker.io=https://mirror.example:5000"
        )
    return {host.strip(): endpoint.strip() for host, _, endpoint in pairs}


def locate(reference: str, mirrored: Mapping[str, str]) -> tuple[Repository, str, str]:
    """The repository, the tag (latest without one) and the digest ('' without one)."""
    image = require_image(reference)
    endpoint = mirrored.get(image.registry, _DOCKER_API if image.registry == DOCKER else image.registry)
    return Repository(image.registry, f"{_api(endpoint)}/{image.repository}"), image.tag or "latest", image.digest


def _api(endpoint: str) -> str:
    """https, unless the endpoint is this machine."""
    scheme, separator, rest = endpoint.rpartition("://")
    host, _, prefix = rest.rstrip("/").partition("/")
    local = is_loopback(urlsplit(f"//{host}").hostname or "")
    scheme = scheme if separator else "http" if local else "https"
    if scheme != "https" and not (scheme == "http" and local):
        raise InputError(f"the registry {rest} must have an https URL", hint="only a registry on this machine can do without TLS")
    return "/".join(part for part in (f"{scheme}://{host}", "v2", prefix) if part)
