"""Working trees, and what a snapshot has of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from devloop.model.cluster.environment import Source


def git(root: Path, *arguments: str, check: bool = True) -> str:
    env = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_INDEX_FILE")}
    return subprocess.run(["git", *arguments], cwd=root, check=check, capture_output=True, text=True, env=env).stdout


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=one")


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def files(source: Source, tmp_path: Path) -> dict[str, str]:
    """What the snapshot holds, read from the store that it was written to."""
    (store,) = (tmp_path / "XDG_CACHE_HOME/devloop/snapshots").iterdir()
    names = git(store, "ls-tree", "-r", "-z", "--name-only", source.commit).split("\0")
    return {name: git(store, "cat-file", "blob", f"{source.commit}:{name}") for name in names if name}


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file; Git itself refreshes the times of objects and shared indexes whenever it reads them."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): (
            path.read_bytes(),
            0 if {"objects"} & set(path.parts) or "sharedindex" in path.name else path.stat().st_mtime_ns,
        )
        for path in paths
    }
