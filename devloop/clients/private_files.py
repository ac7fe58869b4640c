"""Atomically replaced files that only this user may read, with readable errors."""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from devloop.errors import DevloopError


def write(path: Path, text: str) -> None:
    """Replace a file atomically, with mode 0600."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with explained(path):
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w") as stream:
            stream.write(text)
        part.replace(path)


def read_json(path: Path) -> dict[str, object]:
    """The content of `write_json`, {} if there is none."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: object) -> None:
    write(path, json.dumps(content))


def folder_exists(path: Path) -> bool:
    """Whether the folder exists, or may exist where this user cannot look."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except PermissionError:
        return True
    except OSError:
        return False


def make_folder(path: Path) -> None:
    with explained(path):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError (full disk, missing permission) into a DevloopError."""
    try:
        yield
    except OSError as error:
        raise DevloopError(f"cannot write {path}: {error.strerror}", hint="free some space or set XDG_STATE_HOME elsewhere") from None
