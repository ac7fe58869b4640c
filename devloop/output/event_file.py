"""Where events go: a file, a named pipe or standard output. Each line is written at once and as a whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path

from devloop.errors import InputError
from devloop.hint import Hint, command
from devloop.output import STDOUT


class EventFile:
    """`target` is a path or STDOUT; the file is replaced. Raises InputError if it cannot be opened."""

    def __init__(self, target: str) -> None:
        self.target = "standard output" if target == STDOUT else target
        self._file = os.dup(sys.__stdout__.fileno()) if target == STDOUT and sys.__stdout__ else _open(target)
        self._is_regular = stat.S_ISREG(os.fstat(self._file).st_mode)
        self._whole = os.lseek(self._file, 0, os.SEEK_CUR) if self._is_regular else 0

    def write(self, line: str) -> None:
        """Raises OSError, for example for a full disk or a pipe that nobody reads; then a file has none of the line."""
        data = left = line.encode()
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            self._drop_part()
            raise
        self._whole += len(data)

    def _drop_part(self) -> None:
        if self._is_regular:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._whole)


def _open(target: str) -> int:
    # A named pipe without a reader is an error, not a wait.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        file = os.open(target, flags, 0o666)
    except OSError as error:
        reason = "it is a pipe that nobody reads" if error.errno == errno.ENXIO else str(error.strerror).lower()
        raise InputError(f"cannot write events to {target}: {reason}", hint=_hint(target)) from None
    os.set_blocking(file, True)
    return file


def _hint(target: str) -> Hint:
    path = Path(target)
    return command("ls -ld", path) if path.exists() or path.parent.is_dir() else command("mkdir -p", path.parent)
