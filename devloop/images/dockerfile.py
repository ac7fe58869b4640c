"""Images that are built from a Dockerfile of ours, on an image made here if there is one, else on the published one that it names."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from devloop.clients.background import unless_stopped
from devloop.clients.engine.images import ImageStore

PATIENCE = 1800.0  # seconds; the engine may pull a base image and install packages


@dataclass(frozen=True)
class Dockerfile:
    """`files` are the build context with the Dockerfile, path -> content; `base` replaces its BASE unless it is ''."""

    files: Mapping[str, bytes]
    base: str = ""

    def key(self, store: ImageStore) -> str:
        """Identifies the content of the image."""
        identity = store.identity(self.base) if self.base else ""
        return hashlib.sha256(repr((sorted(self.files.items()), identity)).encode()).hexdigest()[:12]

    def build(self, store: ImageStore, reference: str, stop: threading.Event, **arguments: str) -> None:
        values = arguments | ({"BASE": self.base} if self.base else {})
        unless_stopped(lambda: store.build(reference, self.files, values, stop), f"the image {reference}", stop, PATIENCE)
