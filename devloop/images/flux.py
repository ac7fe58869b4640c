"""The images of Flux's controllers: a static program, CA certificates, and the user that Flux's manifests expect."""

from collections.abc import Iterator
from contextlib import contextmanager

from devloop.images.archive import Contents, program
from devloop.images.image_builder import REGISTRY, ImageBuilder, accounts, certificates
from devloop.toolchain import Toolchain

PACKAGES = ("ca-certificates",)


def reference(toolchain: Toolchain, name: str) -> str:
    return f"{REGISTRY}/{name}:v{toolchain.version(name)}"


@contextmanager
def controller(builder: ImageBuilder, name: str) -> Iterator[Contents]:
    with builder.debian(PACKAGES) as debian:
        entries = (*accounts(), certificates(debian), program(f"usr/local/bin/{name}", builder.tool(name)))
        yield Contents(entries, {"Entrypoint": [f"/usr/local/bin/{name}"], "User": "65534:65534", "Env": ["PATH=/usr/local/bin"]})
