"""Where the objects of snapshots go: one bare repository per root in the cache folder, which borrows from the user's what is there already.

So a snapshot leaves no garbage in the user's repository, and a push needs neither the user's configuration nor the user's hooks.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from devloop.clients import git
from devloop.clients.xdg import cache_folder
from devloop.errors import DevloopError

# As many objects in one of the 256 folders of the store mean about 5,000 in all: then those older than a day go.
_CROWDED = 20


def store_of(root: Path) -> Path:
    """Where the snapshots of `root` are, whether it exists or not."""
    return cache_folder() / "snapshots" / hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]


def open_store(root: Path, objects: Path) -> Path:
    """The store of `root` on top of the user's `objects`; private, since it holds what was never committed."""
    store = store_of(root)
    try:
        if not store.exists():
            _create_store(store)
        _borrow(store / "objects" / "info" / "alternates", os.fsencode(f"{objects}\n"))
    except OSError as error:
        hint = "set XDG_CACHE_HOME to a folder that can be written"
        raise DevloopError(f"cannot write to {store}: {error.strerror}", hint=hint) from None
    if sum(1 for _ in (store / "objects" / "17").glob("*")) > _CROWDED:
        git.git("prune", "--expire=1.day.ago", cwd=store, check=False)
    return store


def _create_store(store: Path) -> None:
    """Made aside and moved into place, since another run may be doing the same; the first one there wins."""
    store.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store.parent) as aside:
        made = Path(aside) / "store"
        made.mkdir(mode=0o700)
        git.git("init", "--quiet", "--bare", "--initial-branch=main", "--template=", ".", cwd=made)
        (made / "objects" / "info").mkdir(exist_ok=True)
        try:
            made.rename(store)
        except OSError:
            if not store.exists():
                raise


def _borrow(alternates: Path, line: bytes) -> None:
    if alternates.exists() and alternates.read_bytes() == line:
        return
    with tempfile.NamedTemporaryFile(dir=alternates.parent, delete=False) as file:
        file.write(line)
    Path(file.name).replace(alternates)


def remove_store(root: Path) -> bool:
    """Remove what snapshots of `root` have left in the cache folder; False when there was nothing."""
    store = store_of(root)
    exists = store.exists()
    shutil.rmtree(store, ignore_errors=True)
    return exists
