"""Archives as Helm and source-controller pack them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping


def tgz(files: Mapping[str, str]) -> bytes:
    """A compressed archive of these paths with their texts."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
