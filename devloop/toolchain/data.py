"""The data of Go modules that is kept beside a program: Flux's definitions and roles. From devloop's wheel, else from the modules."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop.clients.go import Go, find_go
from devloop.clients.go import build as go_build
from devloop.errors import DevloopError
from devloop.toolchain.lock import Tool
from devloop.toolchain.packaged import packaged_data

if TYPE_CHECKING:
    from devloop.toolchain.channels import Job


def add_data(job: Job) -> None:
    """Write the tool's data into the staged folder."""
    packaged = {kind: packaged_data(job.tool, kind) for kind in (*job.tool.files, *job.tool.borrowed)}
    for kind, file in packaged.items():
        if file:
            shutil.copyfile(file, job.staged / f"{kind}.json")
    if not all(packaged.values()):
        write_data(find_go(go_build.needed_version(job.tool.folder), job.wheel_folder, job.on_go), job.tool, job.staged)


def write_data(go: Go, tool: Tool, folder: Path) -> None:
    """Write the tool's data into `folder`, from Go modules that Go downloads if needed."""
    if tool.files:
        directory = go_build.module_directory(go, tool.folder, tool.module)
        for kind, pattern in tool.files.items():
            _write(folder / f"{kind}.json", _data(directory, pattern))
    for kind, borrowed in tool.borrowed.items():
        directories = [go_build.download(go, module, checksum) for module, checksum in borrowed.modules.items()]
        _write(folder / f"{kind}.json", [each for directory in directories for each in _data(directory, borrowed.pattern)])


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
