"""The option --keep of the scripts: a folder that stays, else a temporary one."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def kept_or_temporary(keep: Path | None, prefix: str) -> Iterator[Path]:
    """The folder `keep`, made if it does not exist; without one, a temporary folder whose name begins with `prefix`."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix=prefix) as folder:
            yield Path(folder).resolve()
        return
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.resolve()
