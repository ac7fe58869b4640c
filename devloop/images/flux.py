"""Flux's controllers, each alone in its image: a static program, the authorities it trusts, the user that upstream's manifests expect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from devloop.images.archive import Contents, program
from devloop.images.kit import Kit, accounts, certificates

PACKAGES = ("ca-certificates",)


@contextmanager
def controller(kit: Kit, name: str) -> Iterator[Contents]:
    with kit.debian(PACKAGES) as debian:
        entries = (*accounts(), certificates(debian), program(f"usr/local/bin/{name}", kit.tool(name)))
        yield Contents(entries, {"Entrypoint": [f"/usr/local/bin/{name}"], "User": "65534:65534", "Env": ["PATH=/usr/local/bin"]})
