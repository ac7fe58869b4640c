"""Go's caches for the builds of tools: in devloop's cache folder, and removed when no build follows soon.

Compiling all tools leaves about 12 GB in them. Variables of the user's environment that name a cache keep their meaning.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from typing import IO

from devloop.clients.removal import remove_folder
from devloop.clients.xdg import build_folder


def variables() -> dict[str, str]:
    """Those that the user's environment does not set; Go's modules are made writable, so that they can be removed."""
    named = {"GOCACHE": "go-build", "GOMODCACHE": "modules"}
    own = {name: str(build_folder() / folder) for name, folder in named.items() if name not in os.environ}
    flags = f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip()
    return own | ({"GOFLAGS": flags} if "GOMODCACHE" in own else {})


@contextlib.contextmanager
def build_caches() -> Iterator[None]:
    """Nobody removes devloop's own build caches meanwhile."""
    with _lock() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def remove_build_caches() -> None:
    """Remove them unless a run builds with them now."""
    with _lock() as lock, contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_folder(build_folder())


def _lock() -> IO[str]:
    folder = build_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder.with_name(f".{folder.name}.lock").open("w")
