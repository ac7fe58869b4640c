"""Images of this machine's engine into the nodes, before they are needed; what is not here, the nodes pull themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devloop.clients import private_files
from devloop.clients.engine.containers import Container, Containers
from devloop.clients.engine.images import ImageStore
from devloop.clients.wait import PAUSE, until
from devloop.errors import DevloopError, Interrupted
from devloop.hint import command

CTR = ("ctr", "--namespace=k8s.io")  # where the kubelet's containerd keeps what pods run
PATIENCE = 60.0  # seconds for containerd to come up in a new node
ATTEMPTS = 5
INGEST = "/var/lib/containerd/io.containerd.content.v1.content/ingest"
SMALLEST = 1 << 20  # bytes


@dataclass(frozen=True)
class Loader:
    """`record` remembers which image went into which node, so that one that is there is not sent again."""

    containers: Containers
    images: ImageStore
    record: Path

    def load(self, nodes: Iterable[Container], references: Iterable[str], stop: threading.Event) -> tuple[str, ...]:
        """Have those of `references` that exist here in every node; which ones had to be sent."""
        here = {reference: identity for reference in references if (identity := self.images.identity(reference))}
        known = private_files.read_json(self.record)
        missing = {node.name: _missing(here, known.get(node.id)) for node in nodes}
        jobs = [(name, reference) for name, wanted in missing.items() for reference in wanted]
        if not jobs:
            return ()
        for name in dict.fromkeys(name for name, _ in jobs):
            self._await_containerd(name, stop)
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(lambda job: self._send(job[0], job[1], stop), jobs))
        private_files.write_json(self.record, {node.id: {**_known(known, node.id), **here} for node in nodes})
        return tuple(dict.fromkeys(reference for _, reference in jobs))

    def _send(self, node: str, reference: str, stop: threading.Event) -> None:
        if stop.is_set():
            raise Interrupted(f"interrupted before {reference} was loaded")
        # containerd of a node that boots may say that it serves before all of it does.
        for _ in range(ATTEMPTS):
            status, said = self.containers.feed(node, (*CTR, "images", "import", "-"), self.images.save(reference))
            if not status or self._is_full(node) or stop.wait(PAUSE):
                break
        if status and self._is_full(node):
            raise DevloopError(f"no space left in {node} for the image {reference}", hint="free some space: docker system df")
        if status:
            raise DevloopError(f"{node} did not take the image {reference}: {said[-300:]}", hint=command("docker logs", node))

    def _is_full(self, node: str) -> bool:
        """Whether the disk that containerd receives images on has less room than the smallest image."""
        status, said = self.containers.execute(node, ("df", "--output=avail", "--block-size=1", INGEST))
        return status == 0 and int(said.split()[-1]) < SMALLEST

    def _await_containerd(self, node: str, stop: threading.Event) -> None:
        def serves() -> bool:
            return self.containers.execute(node, (*CTR, "version"))[0] == 0

        until(serves, f"containerd of {node}", patience=PATIENCE, stop=stop, hint=command("docker logs", node))


def _missing(here: Mapping[str, str], known: object) -> list[str]:
    loaded = known if isinstance(known, dict) else {}
    return [reference for reference, identity in here.items() if loaded.get(reference) != identity]


def _known(known: Mapping[str, object], node: str) -> dict[str, str]:
    found = known.get(node)
    return found if isinstance(found, dict) else {}
