"""Programs pinned by lock.toml: found or built on demand, kept in the user's cache. Imports nothing heavy."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop.clients.xdg import build_folder, cache_folder
from devloop.errors import DevloopError, InputError
from devloop.hint import command
from devloop.model.report import Emit
from devloop.toolchain import cache
from devloop.toolchain.lock import LOCK, Tool, load_lock, load_node_images
from devloop.toolchain.packaged import is_offered

if TYPE_CHECKING:
    from devloop.toolchain.disk_usage import Usage

# In the environment: Go's caches stay for the next build.
KEEP = "DEVLOOP_KEEP_BUILD_CACHE"


@dataclass(frozen=True)
class ToolState:
    """One line of `devloop toolchain list`. `channel` is empty if the tool is not installed; `seconds` is a cold build here, 0
    where the program is offered ready to run."""

    name: str
    version: str
    channel: str
    origin: str
    path: Path | None
    size: int
    seconds: float


class Toolchain:
    """The tools of one lock file in one cache folder. Cheap to open; runs no program while the cache has all that is needed."""

    def __init__(self, *, lock: Path = LOCK, folder: Path | None = None) -> None:
        self._lock = lock
        self._root = (folder or cache_folder()) / "tools"
        self._on_path: dict[str, Path | None] = {}

    @cached_property
    def _tools(self) -> dict[str, Tool]:
        return load_lock(self._lock)

    @property
    def names(self) -> tuple[str, ...]:
        """Every tool of the lock, in build order."""
        return tuple(self._tools)

    def key(self, name: str) -> str:
        """Identifies the tool's version and content."""
        return self._tool(name).key

    def common_key(self, names: Iterable[str]) -> str:
        """Identifies the versions and contents of several tools, in any order."""
        lines = (f"{name} {self.key(name)}\n" for name in sorted(set(names)))
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:20]

    def version(self, name: str) -> str:
        """The pinned version, without a leading v."""
        return self._tool(name).version

    def folder(self, name: str) -> Path:
        """The folder of its go.mod."""
        return self._tool(name).folder

    def node_images(self) -> dict[str, str]:
        """Kubernetes version -> reference with digest, of the node images that Kind published for the pinned Kind."""
        return load_node_images(self._lock, self.version("kind"))

    def published_image(self, name: str) -> str:
        """The publisher's image of a program, with its digest where the lock has it; '' if there is none."""
        image = self._tool(name).image
        return image.reference if image else ""

    def path(self, name: str) -> Path:
        """The program; raises DevloopError if it is not installed."""
        found = self._find(self._tool(name))
        if not found:
            raise DevloopError(f"{name} is not installed", hint=command("devloop toolchain install", name))
        return found

    def crds(self, controller: str) -> list[dict[str, Any]]:
        """The CustomResourceDefinitions of the pinned version of a Flux controller."""
        return self._data(controller, "crds")

    def rbac(self, controller: str) -> list[dict[str, Any]]:
        """The roles and bindings of the pinned version of a Flux controller."""
        return self._data(controller, "rbac")

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """The tools that are neither in the cache nor on PATH with the pinned version, in build order."""
        return tuple(tool.name for tool in self._ordered(names) if not self._find(tool))

    def estimate(self, names: Iterable[str]) -> float:
        """Seconds for a cold build of the missing tools here."""
        return sum(self._tools[name].build_seconds for name in self.missing(names))

    def ensure(self, names: Iterable[str], emit: Emit, stop: threading.Event | None = None) -> bool:
        """Install the tools that the cache lacks, one after the other; True if there were any. Set `stop` to end early."""
        absent = [tool for tool in self._ordered(names) if not cache.read_installed(self._root, tool)]
        if not absent:
            return False
        from devloop.toolchain.install import install

        return install(absent, self._root, emit, stop or threading.Event())

    def end_builds(self) -> None:
        """Remove Go's caches unless the user keeps them or another run builds; call it where no build follows soon."""
        if build_folder().exists() and not os.environ.get(KEEP):
            from devloop.clients.go.caches import remove_build_caches

            remove_build_caches()

    def states(self) -> tuple[ToolState, ...]:
        return tuple(self._state(tool) for tool in self._tools.values())

    def prunable(self) -> tuple[Usage, ...]:
        """What of the cache no run of this version needs, or can renew."""
        from devloop.toolchain.disk_usage import prunable

        return prunable(self._root.parent, self._tools.values())

    def _tool(self, name: str) -> Tool:
        if name in self._tools:
            return self._tools[name]
        from difflib import get_close_matches

        near = get_close_matches(name, self._tools, n=1)
        raise InputError(
            f"there is no tool {name}" + (f", did you mean {near[0]}" if near else ""), hint=f"the tools are: {', '.join(self._tools)}"
        )

    def _ordered(self, names: Iterable[str]) -> Sequence[Tool]:
        wanted = {self._tool(name).name for name in names}
        return [tool for tool in self._tools.values() if tool.name in wanted]

    def _find(self, tool: Tool) -> Path | None:
        if cache.read_installed(self._root, tool):
            return cache.tool_folder(self._root, tool) / tool.name
        if tool.has_data:  # PATH has the program alone
            return None
        if tool.name not in self._on_path:
            from devloop.toolchain.channels import find_on_path

            self._on_path[tool.name] = find_on_path(tool)
        return self._on_path[tool.name]

    def _data(self, controller: str, kind: str) -> list[dict[str, Any]]:
        """From the controller's own entry, or from one of a tool with vendored files."""
        places = [(self._tool(controller), kind), *((tool, f"{controller}-{kind}") for tool in self._tools.values())]
        known = [(tool, name) for tool, name in places if name in tool.files or name in tool.borrowed]
        if not known:
            raise DevloopError(f"{controller} has no {kind}")
        for tool, name in known:
            if cache.read_installed(self._root, tool):
                file = cache.tool_folder(self._root, tool) / f"{name}.json"
                objects: list[dict[str, Any]] = json.loads(file.read_bytes())
                return objects
        raise DevloopError(f"{controller} is not installed", hint=command("devloop toolchain install", known[0][0].name))

    def _state(self, tool: Tool) -> ToolState:
        entry = cache.read_installed(self._root, tool)
        path, seconds = self._find(tool), 0.0 if is_offered(tool) else tool.build_seconds
        if entry:
            return ToolState(tool.name, tool.version, entry.channel, entry.origin, path, entry.size, seconds)
        size = path.stat().st_size if path else 0
        return ToolState(tool.name, tool.version, "path" if path else "", str(path or ""), path, size, seconds)
