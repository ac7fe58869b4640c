"""Creates cache entries atomically: in a staging folder, renamed once it is complete. Requires the tool's lock."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from devloop.errors import DevloopError
from devloop.toolchain.cache import file_facts, tool_folder
from devloop.toolchain.lock import Tool

_STAGING = ".new-"


@contextlib.contextmanager
def staging(root: Path, tool: Tool) -> Iterator[Path]:
    """A temporary folder on the cache's file system. Also removes those of runs that were killed."""
    _remove_staged(root, tool)
    try:
        yield Path(tempfile.mkdtemp(prefix=_STAGING, dir=root / tool.name))
    finally:
        _remove_staged(root, tool)


def _remove_staged(root: Path, tool: Tool) -> None:
    for dead in (root / tool.name).glob(_STAGING + "*"):
        shutil.rmtree(dead, ignore_errors=True)


def publish(root: Path, tool: Tool, staged: Path, *, channel: str, origin: str) -> None:
    """Make `staged` the entry of `tool` with an atomic rename."""
    facts = {name: file_facts(staged / name) for name in tool.file_names}
    content = {"tool": tool.name, "version": tool.version, "channel": channel, "origin": origin, "files": facts}
    (staged / "entry.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    for path in (*staged.iterdir(), staged):
        if not path.is_symlink():
            _sync(path)
    target = tool_folder(root, tool)
    if target.exists():
        target.rename(staged.with_name(f"{staged.name}.old"))
        shutil.rmtree(staged.with_name(f"{staged.name}.old"), ignore_errors=True)
    staged.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def storage_errors(root: Path) -> Iterator[None]:
    """Turn errors of the file system into DevloopErrors."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DevloopError(
                f"no space left in the cache {root}",
                hint=f"free some space (see `df -h {root}`) and run the same command again: it continues where it stopped",
            ) from None
        where = f" ({error.filename})" if error.filename else ""
        raise DevloopError(
            f"cannot use the cache {root}: {(error.strerror or str(error)).lower()}{where}",
            hint="set XDG_CACHE_HOME to a writable folder, for example XDG_CACHE_HOME=/tmp/cache",
        ) from None
