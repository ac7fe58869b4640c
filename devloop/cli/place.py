"""Where the user stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from devloop.errors import InputError
from devloop.hint import command


@dataclass(frozen=True)
class Place:
    """Where the user stands: the repository's root as given with -C, or None to look for it."""

    directory: Path | None

    @property
    def root(self) -> Path:
        from devloop.repository.environments import find_root

        if self.directory is None:
            return find_root(Path.cwd())
        if not self.directory.is_dir():
            raise InputError(f"-C {self.directory} is not a directory", hint=command("ls -ld", self.directory))
        return self.directory.resolve()

    @property
    def repository(self) -> Path:
        """For commands that need no definition: the root, or else the nearest folder that Git knows."""
        try:
            return self.root
        except InputError:
            here = Path.cwd()
            known = None if self.directory else next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
            if known is None:
                raise
            return known
