"""Reproducible image archives for `docker load` and `ctr images import`, written from lists of files without an engine.

Formats: OCI image specification 1.1 (config.md) and the manifest.json of `docker save`.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from devloop.toolchain.lock import this_platform

# Fixed, so that an image's id depends on its content only.
_CREATED = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Entry:
    """One member of a layer; `path` without a leading slash. `content` is bytes, a local file, or a member of another tar file."""

    path: str
    content: bytes | Path | tuple[tarfile.TarFile, tarfile.TarInfo] = b""
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    target: str = ""
    uid: int = 0
    gid: int = 0

    def under(self, folder: str) -> Entry:
        """The same member below `folder`, with the target of a hard link."""
        target = f"{folder}/{self.target}" if self.kind == tarfile.LNKTYPE else self.target
        return Entry(f"{folder}/{self.path}", self.content, self.mode, self.kind, target, self.uid, self.gid)


def folder(path: str, mode: int = 0o755) -> Entry:
    return Entry(path, mode=mode, kind=tarfile.DIRTYPE)


def link(path: str, target: str) -> Entry:
    return Entry(path, kind=tarfile.SYMTYPE, target=target, mode=0o777)


def program(path: str, source: Path) -> Entry:
    return Entry(path, source, 0o755)


@dataclass(frozen=True)
class Contents:
    """One layer, and `config` of the OCI image specification: how the process runs."""

    entries: tuple[Entry, ...]
    config: Mapping[str, Any] = field(default_factory=dict)


class _HashingWriter:
    """The part of a file that tarfile writes to; hashes, and writes through to `target` if given."""

    def __init__(self, target: IO[bytes] | None = None) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self._size = 0

    def tell(self) -> int:
        return self._size

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self._size += len(data)
        if self._target:
            self._target.write(data)
        return len(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._digest.hexdigest()}"


def write_layer(entries: Iterable[Entry], target: IO[bytes] | None = None) -> str:
    """Write the layer's tar to `target`, if given, and return its digest. Adds missing parent folders;
    raises ValueError for duplicate paths, which engines reject."""
    output = _HashingWriter(target)
    made: set[str] = set()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT, copybufsize=1 << 20) as tar:  # type: ignore[call-overload]
        for entry in entries:
            for parent in _parents(entry.path, made):
                add(tar, folder(parent))
            if entry.path not in made:
                made.add(entry.path)
                add(tar, entry)
            elif entry.kind != tarfile.DIRTYPE:
                raise ValueError(f"two entries for {entry.path}")
    return output.digest


def _parents(path: str, made: set[str]) -> Iterator[str]:
    for parent in reversed(PurePosixPath(path).parents):
        name = str(parent)
        if name != "." and name not in made:
            made.add(name)
            yield name


def add(tar: tarfile.TarFile, entry: Entry) -> None:
    """Add one member, without local times and user names."""
    info = tarfile.TarInfo(entry.path)
    info.type, info.mode, info.linkname = entry.kind, entry.mode, entry.target
    info.uid, info.gid = entry.uid, entry.gid
    if entry.kind != tarfile.REGTYPE:
        tar.addfile(info)
    elif isinstance(entry.content, Path):
        info.size = entry.content.stat().st_size
        with entry.content.open("rb") as file:
            tar.addfile(info, file)
    elif isinstance(entry.content, tuple):
        source, member = entry.content
        info.size = member.size
        tar.addfile(info, source.extractfile(member))
    else:
        info.size = len(entry.content)
        tar.addfile(info, io.BytesIO(entry.content))


def configuration(contents: Contents, layer: str, labels: Mapping[str, str]) -> bytes:
    """The image configuration; its digest is the image id."""
    system, machine = this_platform().split("-", 1)
    config = {**contents.config, **({"Labels": dict(labels)} if labels else {})}
    return json.dumps(
        {
            "architecture": machine,
            "os": system,
            "created": _CREATED,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [layer]},
            "history": [{"created": _CREATED, "created_by": "devloop"}],
        },
        sort_keys=True,
    ).encode()


def write_archive(target: IO[bytes], reference: str, contents: Contents, labels: Mapping[str, str]) -> None:
    """Write an archive for `docker load`. `target` must be seekable: the layer's size is filled in afterwards."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as tar:
        digest = _append_layer(tar, contents.entries)
        config = configuration(contents, digest, labels)
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        manifest = [{"Config": name, "RepoTags": [reference], "Layers": ["layer.tar"]}]
        add(tar, Entry(name, config))
        add(tar, Entry("manifest.json", json.dumps(manifest).encode()))


def _append_layer(tar: tarfile.TarFile, entries: Iterable[Entry]) -> str:
    """Append the layer as layer.tar, without a temporary copy."""
    file: Any = tar.fileobj
    info = tarfile.TarInfo("layer.tar")
    start = file.tell()
    file.write(info.tobuf(tarfile.GNU_FORMAT))
    digest = write_layer(entries, file)
    info.size = file.tell() - start - tarfile.BLOCKSIZE
    end = file.tell()
    file.seek(start)
    file.write(info.tobuf(tarfile.GNU_FORMAT))
    file.seek(end)
    tar.offset = end  # a tar file is a whole number of blocks
    return digest
