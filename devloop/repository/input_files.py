"""Reads files that people write, and explains why one cannot be read."""

import errno
import os
import stat
from pathlib import Path

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.hint import Hint

LARGEST = 1024 * 1024

_REASONS = {
    errno.ENOENT: ("the file does not exist", ""),
    errno.ENOTDIR: ("the file does not exist", ""),
    errno.ELOOP: ("the link leads back to itself", "replace it with a file"),
    errno.EACCES: ("the file cannot be read: permission denied", "allow it with `chmod u+r {}`"),
    errno.EPERM: ("the file cannot be read: permission denied", "allow it with `chmod u+r {}`"),
}


def read_input(path: Path, shown: str) -> str:
    """The text of a regular UTF-8 file of sensible size; raises InputError for `shown`, the path as the user knows it."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _wrong(shown, f"this is a {'directory' if stat.S_ISDIR(status.st_mode) else 'device, a pipe or a socket'}, not a file")
        if status.st_size > LARGEST:
            raise _wrong(shown, f"the file has more than {LARGEST // 1024} KiB")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        message, hint = _REASONS.get(error.errno or 0, (f"the file cannot be read: {error.strerror}", ""))
        raise _wrong(shown, message, hint.format(shown)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError.of([Diagnostic.at(shown, line, "the file is not UTF-8", "convert it with `iconv -f latin1 -t utf-8`")]) from None


def is_there(path: Path) -> bool:
    """Whether something has that name; a broken link counts, so that it is reported."""
    return os.path.lexists(path)


def _wrong(shown: str, message: str, hint: Hint = "") -> InputError:
    return InputError.of([Diagnostic.at(shown, 0, message, hint)])
