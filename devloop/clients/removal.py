"""Removes folders, read-only ones too."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def remove_folder(path: Path) -> bool:
    """Remove the folder; renamed first, so that an interrupted removal leaves nothing that looks complete. Whether it existed."""
    doomed = path.with_name(f".{path.name}.removed")
    shutil.rmtree(doomed, onerror=_unlock)
    try:
        path.rename(doomed)
    except FileNotFoundError:
        return False
    shutil.rmtree(doomed, onerror=_unlock)
    return True


def _unlock(function: Callable[[str], object], path: str, _: object) -> None:
    """Make the folder writable and try again; nothing to do for what does not exist."""
    if not os.path.lexists(path):
        return
    if function in (os.unlink, os.rmdir):
        Path(path).parent.chmod(0o700)
        function(path)
    else:
        Path(path).chmod(0o700)
        shutil.rmtree(path, onerror=_unlock)
