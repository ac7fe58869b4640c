"""Reads installed tools: `<cache>/tools/<name>/<key>/` holds a program, its data and entry.json, written by staging.py."""

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devloop.toolchain.lock import Tool


@dataclass(frozen=True)
class InstalledTool:
    """`size` in bytes."""

    channel: str
    origin: str
    size: int


def tool_folder(root: Path, tool: Tool) -> Path:
    return root / tool.name / tool.key


def read_installed(root: Path, tool: Tool) -> InstalledTool | None:
    """The entry of `tool`; None if it is missing, incomplete or was modified."""
    folder = tool_folder(root, tool)
    try:
        content = json.loads((folder / "entry.json").read_text(encoding="utf-8"))
        recorded = {name: content["files"][name] for name in tool.file_names}
        if not all(_is_intact(folder / name, record) for name, record in recorded.items()):
            return None
        if not os.access(folder / tool.name, os.X_OK):
            return None
        return InstalledTool(content["channel"], content["origin"], sum(record["size"] for record in recorded.values()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_intact(file: Path, record: dict[str, Any]) -> bool:
    """Compares the modification time; hashes the file only after it was copied, for example from a CI cache."""
    status = file.stat()
    if status.st_size != record["size"]:
        return False
    if int(status.st_mtime) == record["modified"]:
        return True
    if file.is_symlink() or _sha256(file) != record["sha256"]:
        return False
    with contextlib.suppress(OSError):
        os.utime(file, (record["modified"], record["modified"]))
    return True


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def file_facts(file: Path) -> dict[str, Any]:
    """The record of a file in entry.json, for `_is_intact`."""
    status = file.stat()
    return {"size": status.st_size, "modified": int(status.st_mtime), "sha256": _sha256(file)}
