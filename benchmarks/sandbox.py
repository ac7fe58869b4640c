"""A separate sandbox for every benchmark: leaves the user's state, keys and kubeconfig alone, and cleans up."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.clients import process
from devloop.clients.orphans import kill_orphans
from devloop.model.cluster.environment import Environment
from devloop.provisioners import Provisioner, open_provisioner
from devloop.repository.environments import load_environment
from devloop.runtime.components import MARKER
from devloop.toolchain import Toolchain

ENVIRONMENT = "local"


# The name in containers, volumes and contexts; differs from the user's environments.
CLUSTER = "devloop-bench"


@dataclass(frozen=True)
class Sandbox:
    """`folder` holds everything: the sample repository, state, keys, kubeconfig, the files of the script."""

    folder: Path
    provisioner_name: str = "embedded"

    @property
    def repository(self) -> Path:
        return self.folder / "demo"

    @property
    def by_hand(self) -> Path:
        return self.folder / "by-hand"

    @property
    def environment(self) -> Environment:
        return load_environment(self.repository, ENVIRONMENT)

    @property
    def provisioner(self) -> Provisioner:
        return open_provisioner(self.provisioner_name, self.environment, Toolchain(), threading.Event())

    @property
    def age_key_file(self) -> Path:
        (found,) = (self.folder / "config/devloop/keys/demo").glob(f"{ENVIRONMENT}-*.agekey")
        return found

    def devloop(self, *arguments: str) -> tuple[float, str]:
        """Run devloop on the sample as a user would; seconds from start to end, and its output. Raises ToolError."""
        start = time.perf_counter()
        done = process.run([sys.executable, "-m", "devloop", *arguments], cwd=self.folder)
        return time.perf_counter() - start, done.text

    def on_sample(self, command: str, *options: str) -> tuple[float, str]:
        return self.devloop("-C", str(self.repository), command, ENVIRONMENT, *options)


@contextlib.contextmanager
def sandbox(provisioner: str = "embedded") -> Iterator[Sandbox]:
    """A scaffolded sample in a temporary folder; afterwards, everything that ran in it is stopped and the folder is deleted."""
    with tempfile.TemporaryDirectory(prefix="devloop-bench-", ignore_cleanup_errors=True) as name:
        place = Sandbox(Path(name).resolve(), provisioner)
        os.environ |= {
            "XDG_STATE_HOME": str(place.folder / "state"),
            "XDG_CONFIG_HOME": str(place.folder / "config"),
            "KUBECONFIG": str(place.folder / "kubeconfig"),
            "DEVLOOP_PROVISIONER": provisioner,
        }
        # Keep bytecode, as an installed devloop does.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        try:
            place.devloop("init", "demo")
            if provisioner == "kind":
                _set_apart(place)
            yield place
        finally:
            _end_all(place)


def _set_apart(place: Sandbox) -> None:
    """Names and host ports must be unique within the engine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    definition = place.repository / "clusters" / ENVIRONMENT
    for file in definition.glob("*.yaml"):
        text = (
            file.read_text().replace(f"name: {ENVIRONMENT}\n", f"name: {CLUSTER}\n").replace(f"kind-{ENVIRONMENT}\n", f"kind-{CLUSTER}\n")
        )
        file.write_text(text.replace("hostPort: 8080", f"hostPort: {port}"))


def _end_all(place: Sandbox) -> None:
    """Stops everything that still runs; a second Ctrl-C does not interrupt this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if place.provisioner_name == "kind":
        place.on_sample("down")
        return
    for folder in (place.by_hand, *(place.folder / "state/devloop").glob("*/")):
        kill_orphans(MARKER, str(folder))
