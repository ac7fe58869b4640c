"""Loads images of the container engine into the nodes before they are needed; the nodes pull the others themselves."""

import threading
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from devloop.clients import private_files
from devloop.clients.engine.containers import Container, Containers
from devloop.clients.engine.images import ImageStore
from devloop.clients.wait import PAUSE, until
from devloop.errors import DevloopError, Interrupted
from devloop.hint import command

CTR = ("ctr", "--namespace=k8s.io")  # the kubelet's namespace in containerd
PATIENCE = 60.0  # seconds for containerd to start in a new node
ATTEMPTS = 5
INGEST = "/var/lib/containerd/io.containerd.content.v1.content/ingest"
SMALLEST = 1 << 20  # bytes


@dataclass(frozen=True)
class Loader:
    """The file `record` lists the images of each node, so that none is loaded twice."""

    containers: Containers
    images: ImageStore
    record: Path

    def load(self, nodes: Collection[Container], references: Iterable[str], stop: threading.Event) -> tuple[str, ...]:
        """Load those of `references` that exist locally into every node; which were loaded."""
        local = {reference: identity for reference in references if (identity := self.images.identity(reference))}
        record = private_files.read_json(self.record)
        loaded = {node.id: content if isinstance(content := record.get(node.id), dict) else {} for node in nodes}
        jobs = [(node.name, ref) for node in nodes for ref, identity in local.items() if loaded[node.id].get(ref) != identity]
        if not jobs:
            return ()
        for name in dict.fromkeys(name for name, _ in jobs):
            is_serving = partial(self._serves, name)
            until(is_serving, f"containerd of {name}", patience=PATIENCE, stop=stop, hint=command("docker logs", name))
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(lambda job: self._send(job[0], job[1], stop), jobs))
        private_files.write_json(self.record, {identity: {**images, **local} for identity, images in loaded.items()})
        return tuple(dict.fromkeys(reference for _, reference in jobs))

    def _send(self, node: str, reference: str, stop: threading.Event) -> None:
        if stop.is_set():
            raise Interrupted(f"interrupted before {reference} was loaded")
        # While a node boots, containerd may report ready before all its services are.
        for _ in range(ATTEMPTS):
            status, output = self.containers.feed(node, (*CTR, "images", "import", "-"), self.images.save(reference))
            if not status or self._is_full(node) or stop.wait(PAUSE):
                break
        if status and self._is_full(node):
            raise DevloopError(f"no space left on {node} for the image {reference}", hint="free some space: docker system df")
        if status:
            raise DevloopError(f"cannot load the image {reference} into {node}: {output[-300:]}", hint=command("docker logs", node))

    def _is_full(self, node: str) -> bool:
        """Whether containerd's disk has less space than the smallest image."""
        status, output = self.containers.execute(node, ("df", "--output=avail", "--block-size=1", INGEST))
        return status == 0 and int(output.split()[-1]) < SMALLEST

    def _serves(self, node: str) -> bool:
        return self.containers.execute(node, (*CTR, "version"))[0] == 0
