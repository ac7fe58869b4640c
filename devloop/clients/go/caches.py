"""Go's caches for the builds of tools: in devloop's cache folder, and removed when the builds have ended.

Compiling all tools leaves about 12 GB in them. Variables of the user's environment that name a cache keep their meaning.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from devloop.clients.removal import remove_folder
from devloop.clients.xdg import build_folder

KEEP = "DEVLOOP_KEEP_BUILD_CACHE"


def variables() -> dict[str, str]:
    """Those that the user's environment does not set; Go's modules are made writable, so that they can be removed."""
    named = {"GOCACHE": "go-build", "GOMODCACHE": "modules"}
    own = {name: str(build_folder() / folder) for name, folder in named.items() if name not in os.environ}
    flags = f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip()
    return own | ({"GOFLAGS": flags} if "GOMODCACHE" in own else {})


@contextlib.contextmanager
def build_caches(*, keep: bool = False) -> Iterator[None]:
    """Remove devloop's own build caches after the last build that uses them has succeeded; a failed one continues from them.

    `keep`, or DEVLOOP_KEEP_BUILD_CACHE in the environment, leaves them for the next build.
    """
    folder = build_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield
        if keep or os.environ.get(KEEP):
            return
        with contextlib.suppress(BlockingIOError):  # another run still builds, and removes them
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_folder(folder)
