"""One file out of an archive. Nothing is written but that file, so no name inside can lead elsewhere."""

from __future__ import annotations

import contextlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from devloop.clients.http.failures import DownloadFailed, Reason

# Bytes of one unpacked program: the largest that we pin have 150 MB.
LARGEST = 1 << 30

_CHUNK = 1 << 20

_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)


def extract_member(archive: Path, member: str, target: Path) -> None:
    """Write the regular file `member` of a .tar.gz, .tgz, .tar or .zip to the program `target`. The format is read from the content, not
    from the name. Raises DownloadFailed (Reason.UNUSABLE) if there is no such file."""
    try:
        with _member(archive, member) as (source, size):
            write_program(source, size, target)
    except _DAMAGED as error:
        raise DownloadFailed(Reason.UNUSABLE, f"the archive {archive.name} is damaged: {error}") from None


def write_program(source: IO[bytes], size: int, target: Path) -> None:
    """Copy `size` bytes, no more, to an executable file."""
    if size > LARGEST:
        raise DownloadFailed(Reason.TOO_LARGE, f"{target.name} has {size} bytes, more than {LARGEST >> 20} MiB")
    with target.open("wb") as file:
        while size > 0 and (chunk := source.read(min(size, _CHUNK))):
            file.write(chunk)
            size -= len(chunk)
    if size:
        raise DownloadFailed(Reason.UNUSABLE, f"{target.name} is cut off in its archive")
    target.chmod(0o755)


def _member(archive: Path, member: str) -> contextlib.AbstractContextManager[tuple[IO[bytes], int]]:
    """Its content and size."""
    return _zip_member(archive, member) if zipfile.is_zipfile(archive) else _tar_member(archive, member)


@contextlib.contextmanager
def _zip_member(archive: Path, member: str) -> Iterator[tuple[IO[bytes], int]]:
    with zipfile.ZipFile(archive) as packed:
        entry = next((each for each in packed.infolist() if normalized(each.filename) == normalized(member)), None)
        if not entry or entry.is_dir():
            raise _absent(archive, member)
        with packed.open(entry) as source:
            yield source, entry.file_size


@contextlib.contextmanager
def _tar_member(archive: Path, member: str) -> Iterator[tuple[IO[bytes], int]]:
    with tarfile.open(archive, "r:*") as packed:
        entry = next((each for each in packed if normalized(each.name) == normalized(member)), None)
        source = packed.extractfile(entry) if entry and entry.isreg() else None
        if not entry or not source:
            raise _absent(archive, member)
        yield source, entry.size


def _absent(archive: Path, member: str) -> DownloadFailed:
    return DownloadFailed(Reason.UNUSABLE, f"the archive {archive.name} has no file {member}")


def normalized(name: str) -> str:
    """A member's name without a leading ./ or /."""
    return str(PurePosixPath("/", name)).lstrip("/")
