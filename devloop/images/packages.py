"""The cache of unpacked Debian packages."""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from devloop.clients.debian import SUITE, unpack
from devloop.clients.lock import in_turn
from devloop.clients.xdg import cache_folder


def packages_file(packages: Sequence[str]) -> Path:
    """The tar file in the cache with the files of these packages and their dependencies."""
    digest = hashlib.sha256(json.dumps([SUITE, sorted(packages)]).encode()).hexdigest()[:16]
    return cache_folder() / "debian" / f"{digest}.tar"


def ensure_packages(packages: Sequence[str], stop: threading.Event, on_wait: Callable[[], None]) -> Path:
    """That file, fetched if missing; calls `on_wait` while another run is fetching it. Raises Interrupted soon after `stop`."""
    path = packages_file(packages)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with _IN_THIS_PROCESS.setdefault(path, threading.Lock()), in_turn(path.with_suffix(".lock"), lambda _: on_wait(), stop):
            if not path.exists():
                _fetch(packages, path, stop)
    return path


# File locks do not exclude threads of one process.
_IN_THIS_PROCESS: dict[Path, threading.Lock] = {}


def _fetch(packages: Sequence[str], path: Path, stop: threading.Event) -> None:
    new = path.with_name(f".new-{path.name}")
    try:
        unpack(packages, new, stop)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
