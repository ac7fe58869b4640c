"""Stores snapshots in the cache folder: one bare repository per root, with the objects of the user's repository as alternates.

So snapshots leave no garbage in the user's repository, and pushes use neither its configuration nor its hooks.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from devloop.clients import git
from devloop.clients.xdg import cache_folder
from devloop.errors import DevloopError

# This many objects in one of the 256 folders of the store mean about 5,000 in all; then those older than a day are pruned.
_CROWDED = 20


def store_of(root: Path) -> Path:
    """The path of the store of `root`, which may not exist."""
    return cache_folder() / "snapshots" / hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]


def open_store(root: Path, objects: Path) -> Path:
    """The store of `root` on top of the user's `objects`; private, since it holds uncommitted files."""
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
    """Created in a temporary folder and then renamed, since another run may do the same; the first one wins."""
    store.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store.parent) as folder:
        new = Path(folder) / "store"
        new.mkdir(mode=0o700)
        git.git("init", "--quiet", "--bare", "--initial-branch=main", "--template=", ".", cwd=new)
        (new / "objects" / "info").mkdir(exist_ok=True)
        try:
            new.rename(store)
        except OSError:
            if not store.exists():
                raise


def _borrow(alternates: Path, line: bytes) -> None:
    if alternates.exists() and alternates.read_bytes() == line:
        return
    with tempfile.NamedTemporaryFile(dir=alternates.parent, delete=False) as file:
        file.write(line)
    Path(file.name).replace(alternates)


def remove_store(root: Path) -> None:
    """Remove all snapshots of `root`."""
    shutil.rmtree(store_of(root), ignore_errors=True)
