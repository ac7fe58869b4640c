"""Builds a tool from source with Go and its pinned go.mod and go.sum."""

import threading
from collections.abc import Callable
from pathlib import Path

from devloop.clients.go import build as go_build
from devloop.clients.go import find_go
from devloop.model.report import Emit, Notice
from devloop.toolchain.lock import Tool

OnFraction = Callable[[float | None, float | None], None]

NO_GO = "no Go that is new enough is installed, installing one for devloop only"

# Linking takes about as long as compiling this fraction of all packages.
_LINKING = 0.04


def build(tool: Tool, staged: Path, *, wheel_folder: Path, on_fraction: OnFraction, emit: Emit, stop: threading.Event) -> str:
    """Build the program into `staged`; returns the version of Go."""
    needed = go_build.needed_version(tool.folder)
    go = find_go(needed, wheel_folder, lambda: emit(Notice(NO_GO)))
    on_fraction(None, tool.build_seconds)
    packages = go_build.packages(go, tool.folder, tool.package, tool.linker_flags, _on_download(tool, emit), stop)
    on_line = _on_package(tool, packages, on_fraction)
    go_build.build(go, tool.folder, tool.package, tool.linker_flags, staged / tool.name, on_line, stop)
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
