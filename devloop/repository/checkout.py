"""An earlier state of the repository in a folder of its own, which goes away however its use ends. The user's .git is left alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from devloop.clients.git import git
from devloop.repository.changed_files import resolve

_PREFIX = "devloop-revision-"


@contextlib.contextmanager
def checkout(root: Path, revision: str) -> Iterator[Path]:
    """What `root` held at `revision`, as a folder; raises InputError where there is no such revision.

    An index of our own stands for it instead of a worktree, of which Git would keep books in the user's repository.
    """
    commit = resolve(root, revision)
    prefix = git("rev-parse", "--show-prefix", cwd=root).text.rstrip("\n")
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "tree"
        folder.mkdir()
        env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git("read-tree", f"{commit}:{prefix.rstrip('/')}" if prefix else commit, cwd=root, env=env)
        git("checkout-index", "--all", "--quiet", f"--prefix={folder}/", cwd=_top(root, prefix), env=env)
        yield folder


def _top(root: Path, prefix: str) -> Path:
    return root.joinpath(*[".."] * prefix.count("/")).resolve()


def _sweep(folder: Path) -> None:
    """What killed runs left; a run whose process lives is none of them."""
    for left in folder.glob(f"{_PREFIX}*"):
        process = left.name.removeprefix(_PREFIX).partition("-")[0]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            shutil.rmtree(left, ignore_errors=True)
