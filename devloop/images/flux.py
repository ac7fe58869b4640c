"""Flux's controllers, each alone in its image: a static program, the authorities it trusts, the user that upstream's manifests expect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from devloop.images.archive import Contents, program
from devloop.images.image_builder import REGISTRY, ImageBuilder, accounts, certificates
from devloop.toolchain import Toolchain

PACKAGES = ("ca-certificates",)


def reference(toolchain: Toolchain, name: str) -> str:
    return f"{REGISTRY}/{name}:v{toolchain.version(name)}"


@contextmanager
def controller(kit: ImageBuilder, name: str) -> Iterator[Contents]:
    with kit.debian(PACKAGES) as debian:
        entries = (*accounts(), certificates(debian), program(f"usr/local/bin/{name}", kit.tool(name)))
        yield Contents(entries, {"Entrypoint": [f"/usr/local/bin/{name}"], "User": "65534:65534", "Env": ["PATH=/usr/local/bin"]})
