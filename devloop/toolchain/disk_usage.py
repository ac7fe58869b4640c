"""What the cache folder holds: its size by part, and what nothing needs any more."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.process import running_programs
from devloop.toolchain.cache import tool_folder
from devloop.toolchain.lock import Tool

# Parts of the cache that a run fills again when it needs them.
RENEWABLE = ("build", "renderings", "remote", "debian")


@dataclass(frozen=True)
class Usage:
    """`size` in bytes of what `paths` hold; `in_use` are those that a running process was started from."""

    name: str
    paths: tuple[Path, ...]
    size: int
    in_use: tuple[Path, ...] = ()


def prunable(cache: Path, tools: Iterable[Tool]) -> tuple[Usage, ...]:
    """Programs of other versions, and the renewable parts; without those that are empty."""
    old = tuple(_outdated(cache / "tools", {tool.name: tool for tool in tools}))
    running = running_programs()
    busy = tuple(folder for folder in old if any(program.is_relative_to(folder) for program in running))
    free = tuple(folder for folder in old if folder not in busy)
    programs = Usage("programs of other versions", free, size_of(free), busy)
    parts = [Usage(name, (cache / name,), size_of([cache / name])) for name in RENEWABLE]
    return tuple(usage for usage in (programs, *parts) if usage.size or usage.in_use)


def size_of(paths: Iterable[Path]) -> int:
    """Bytes on the disk; a file with several names counts once."""
    seen: dict[tuple[int, int], int] = {}
    for path in paths:
        for status in _walk(path):
            seen[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def _walk(path: Path) -> Iterator[os.stat_result]:
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                yield os.lstat(os.path.join(folder, name))  # noqa: PTH118 (a tenth of the time)
            except FileNotFoundError:
                continue


def _outdated(root: Path, tools: dict[str, Tool]) -> Iterator[Path]:
    for folder in sorted(root.glob("*")):
        current = tool_folder(root, tools[folder.name]) if folder.name in tools else None
        # Not what another run is about to install.
        yield from (each for each in sorted(folder.glob("[!.]*")) if each.is_dir() and each != current)
