"""Tells `watch` about the files of a repository that have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from devloop.clients.file_changes import INDEX, changes
from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.model.report import Emit, Notice
from devloop.repository.file_index import without_ignored

GONE = 1.0  # seconds between two looks for a repository that is not there


class Key(Enum):
    """What the user asks for: a run now, or the end."""

    RUN = "run"
    QUIT = "quit"


@dataclass
class WatchedFiles:
    """`put` gets the paths of each burst, and RUN where the repository may be usable again; `is_unusable` is how the last run found it."""

    root: Path
    stop: threading.Event
    emit: Emit
    put: Callable[[frozenset[str] | Key], None]
    is_unusable: bool = False

    def follow(self) -> None:
        """Until `stop` is set; goes on when the folder is there again."""
        root, stop = self.root, self.stop
        while not stop.is_set():
            try:
                for paths in changes(root, stop):
                    self._note(paths)
            except DevloopError as error:
                if root.is_dir():  # the system refuses to watch it; keys work still
                    self.emit(Notice(error.message, Severity.ERROR, error.hint))
                    return
            if not (stop.is_set() or root.is_dir()):
                self.emit(Notice(f"{root} is gone: waiting until it is there again", Severity.WARNING))
            while not root.is_dir() and not stop.wait(GONE):
                pass
            if not stop.is_set():
                self.put(Key.RUN)

    def _note(self, paths: frozenset[str]) -> None:
        """Git's index counts if the last run could not use the repository, for example because of a conflict."""
        if INDEX in paths and self.is_unusable:
            self.put(Key.RUN)
        if relevant := without_ignored(self.root, paths - {INDEX}):
            self.put(relevant)
