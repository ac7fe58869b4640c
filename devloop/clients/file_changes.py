"""Notices changes of files below a folder."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from watchfiles import Change, watch

from devloop.errors import DevloopError
from devloop.hint import command

QUIET, LONGEST = 20, 200  # milliseconds without a change that end a burst, and of one burst at most
INDEX = ".git/index"  # changes when a conflict is resolved
LOOK = 1000  # milliseconds between two looks at `stop`

# What editors write next to a file while they save it: Vim and Neovim (4913, swap files, backups), Emacs, JetBrains, GLib, Kate, macOS.
_TEMPORARY = re.compile(
    r"^(4913|\..*\.sw[a-z]|.*~|\.#.*|#.*#|.*___jb_(tmp|old)___|\.goutputstream-.*|\..*\.kate-swp|\.DS_Store|.*\.tmp(\.\d+)*)$"
)


def is_temporary(name: str) -> bool:
    """Whether a file of this name is an editor's."""
    return bool(_TEMPORARY.match(name))


def _identity(root: Path) -> tuple[int, int] | None:
    """Of the folder, None if it is gone."""
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _lasting(root: Path, found: Iterable[tuple[Change, str]]) -> Iterator[str]:
    """Without files that were written and removed again within the burst."""
    added = {path for kind, path in found if kind.name == "added"}
    for _, path in found:
        if path not in added or os.path.lexists(path):
            yield os.path.relpath(path, root)


def changes(root: Path, stop: threading.Event) -> Iterator[frozenset[str]]:
    """The paths (relative to `root`) of each burst of changes, until `stop` is set or `root` is another folder or none.

    Without editors' temporary files, and of Git's own with its INDEX alone. Raises DevloopError if the system cannot watch the folder.
    """

    def is_wanted(_: object, path: str) -> bool:
        parts = Path(path).relative_to(root).parts
        return bool(parts) and (parts[0] != ".git" or path.endswith(INDEX)) and not is_temporary(parts[-1])

    bursts = watch(
        root,
        watch_filter=is_wanted,
        debounce=LONGEST,
        step=QUIET,
        stop_event=stop,
        rust_timeout=LOOK,
        yield_on_timeout=True,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    try:
        before = _identity(root)
        for found in bursts:
            if _identity(root) != before:
                return
            if paths := frozenset(_lasting(root, found)):
                yield paths
    except OSError as error:
        hint = command("sysctl fs.inotify.max_user_watches=1048576") if "limit" in str(error).lower() else ""
        raise DevloopError(f"cannot watch {root}: {error}", hint=hint) from None
