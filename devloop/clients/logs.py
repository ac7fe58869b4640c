"""Log files that other processes append to; rotated by copying, so that no process has to reopen them."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

LARGEST = 10 << 20  # bytes
KEPT = 2


def open_log(path: Path) -> BinaryIO:
    """Open for appending, with mode 0600."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab", buffering=0)


def rotate(path: Path) -> None:
    """Keep the last two full logs as <name>.1 and <name>.2; may lose lines that are written meanwhile."""
    if not path.exists() or path.stat().st_size < LARGEST:
        return
    for number in range(KEPT, 1, -1):
        older = path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))
    shutil.copy(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)


def tail(path: Path, lines: int = 6) -> str:
    """The last lines, '' without a file."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 8192))
            return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
