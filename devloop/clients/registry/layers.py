"""A file in the layers of an image: the topmost one counts, whiteouts hide what is below, links stay inside the image.

https://github.com/opencontainers/image-spec/blob/main/layer.md
"""

from __future__ import annotations

import contextlib
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar

from devloop.clients.archives import normalized
from devloop.clients.http.failures import DownloadFailed, Reason

Blob = TypeVar("Blob")

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_MOST_LINKS = 40

# The last part of a media type -> its name for tarfile, which knows zst since Python 3.14.
_COMPRESSIONS = {"tar": "", "gzip": "gz", "zstd": "zst"}

_DAMAGED = (tarfile.TarError, zlib.error, EOFError, OSError)


class Layer:
    """The members of a layer's tar file by their path."""

    def __init__(self, file: Path, media_type: str) -> None:
        compression = media_type.replace("+", ".").rpartition(".")[2]
        mode: Any = f"r:{_COMPRESSIONS.get(compression, compression)}"
        try:
            self._tar = tarfile.open(file, mode)  # noqa: SIM115 (open as long as its members are read)
            self._members = {normalized(member.name): member for member in self._tar}
        except tarfile.CompressionError:
            raise DownloadFailed(Reason.UNUSABLE, f"this Python cannot read layers of type {media_type}") from None
        except _DAMAGED as error:
            raise DownloadFailed(Reason.UNUSABLE, f"a layer of the image is damaged: {error}") from None

    @contextlib.contextmanager
    def reader(self, member: tarfile.TarInfo) -> Iterator[IO[bytes]]:
        source = self._tar.extractfile(member)
        assert source, "find returns regular files"
        with source:
            yield source

    def look(self, path: str) -> tarfile.TarInfo | str | None:
        """The regular file, the other path that a link leads to, or None if this layer has neither."""
        for name in _prefixes(path):
            member = self._members.get(name)
            if member and member.issym():
                target = posixpath.join("/", posixpath.dirname(name), member.linkname)
                return normalized(posixpath.normpath(posixpath.join(target, posixpath.relpath(path, name))))
        member = self._members.get(path)
        if member and member.islnk():
            return self._members.get(normalized(member.linkname)) or normalized(member.linkname)
        return member

    def hides(self, path: str) -> bool:
        """Whether nothing below this layer counts: removed, in a folder that was emptied, or below a file."""
        return any(self._is_hidden(name, below=name != path) for name in _prefixes(path))

    def _is_hidden(self, name: str, *, below: bool) -> bool:
        folder, base = posixpath.split(name)
        replaced = below and (member := self._members.get(name)) is not None and not member.isdir()
        return replaced or any(posixpath.join(folder, marker) in self._members for marker in (_WHITEOUT + base, _OPAQUE))


def find(blobs: Sequence[Blob], opened: Callable[[Blob], Layer], path: str) -> tuple[Layer, tarfile.TarInfo] | None:
    """The layer with the file `path`; opens no more of `blobs`, which are ordered from the top, than it must."""
    path, open_once = normalized(path), cache(opened)
    for _ in range(_MOST_LINKS):
        found = _topmost(blobs, open_once, path)
        if not isinstance(found, str):
            return found if found and found[1].isreg() else None
        path = found
    raise DownloadFailed(Reason.UNUSABLE, f"the image has too many links at {path}")


def _topmost(blobs: Sequence[Blob], opened: Callable[[Blob], Layer], path: str) -> tuple[Layer, tarfile.TarInfo] | str | None:
    for blob in blobs:
        layer = opened(blob)
        found = layer.look(path)
        if found is not None:
            return found if isinstance(found, str) else (layer, found)
        if layer.hides(path):
            return None
    return None


def _prefixes(path: str) -> list[str]:
    """a, a/b, a/b/c."""
    return [str(parent) for parent in reversed((PurePosixPath(path), *PurePosixPath(path).parents)) if str(parent) != "."]
