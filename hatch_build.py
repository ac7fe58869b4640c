"""Builds wheels with the worker, the data of Go modules and the schemas of Kubernetes inside; see docs/releasing.md.

DEVLOOP_WHEEL_PLATFORM names the platform, for example linux-arm64; the build then fails without Go. `any` makes a wheel without the worker.
By default, the worker is for this machine. If there is no Go or its modules cannot be downloaded, the wheel has none, and devloop
builds it in its first run.
"""

import os
import subprocess
import sys
import tempfile
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from devloop.clients.go import Go, environment, find_go
from devloop.clients.go.build import BUILD_FLAGS, needed_version
from devloop.clients.go.caches import build_caches
from devloop.clients.xdg import cache_folder
from devloop.errors import DevloopError
from devloop.toolchain.data import write_data
from devloop.toolchain.lock import Tool, load_lock, this_platform

# The platforms with a wheel. Go's programs need no libc, but pip looks for a tag; google-re2 has wheels from macOS 13 on.
TAGS = {
    "linux-amd64": "manylinux_2_17_x86_64",
    "linux-arm64": "manylinux_2_17_aarch64",
    "darwin-amd64": "macosx_13_0_x86_64",
    "darwin-arm64": "macosx_13_0_arm64",
}


DEFINITIONS = "_definitions.json"


class WorkerHook(BuildHookInterface):
    _staged: tempfile.TemporaryDirectory[str]  # removed at the exit of the build

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        wanted = os.environ.get("DEVLOOP_WHEEL_PLATFORM", "")
        if version == "editable":
            return
        build_data["force_include"].update(schemas())
        if wanted == "any":
            return
        self._staged = tempfile.TemporaryDirectory(prefix="devloop-wheel-")
        try:
            with build_caches():
                add(Path(self._staged.name), wanted or this_platform(), build_data)
        except (DevloopError, subprocess.CalledProcessError) as error:
            if wanted:
                raise
            self.app.display_warning(f"without the worker, which devloop builds in its first run: {error}")
            return
        if not wanted:
            build_data["tag"] = build_data["tag"].replace("manylinux_2_17", "linux")  # also fits musl; an index refuses it


def schemas() -> dict[str, str]:
    """The file that the worker reads of each Kubernetes version in kubernetes-validate, and its place in the wheel."""
    [package] = getattr(PathFinder.find_spec("kubernetes_validate"), "submodule_search_locations", None) or [""]
    files = sorted(Path(package, "kubernetes-json-schema").glob(f"*-local-strict/{DEFINITIONS}"))
    if not files:
        raise DevloopError("the package kubernetes-validate has no schemas")
    return {str(file): f"devloop/data/schemas/{file.parent.name}/{file.name}" for file in files}


def add(staged: Path, platform: str, build_data: dict[str, Any]) -> None:
    """Build the worker and write the data into `staged`, and make them a part of the wheel."""
    if platform not in TAGS:
        raise DevloopError(f"{platform} is none of {', '.join(TAGS)}")
    tools = load_lock()
    go = find_go(needed_version(tools["worker"].folder), cache_folder() / "go", no_go)
    build(go, tools["worker"], platform, staged / "bin")
    for tool in tools.values():
        if tool.has_data:
            (folder := staged / "data" / tool.name).mkdir(parents=True)
            write_data(go, tool, folder)
    files = {str(file): f"devloop/{file.relative_to(staged)}" for file in sorted(staged.rglob("*")) if file.is_file()}
    build_data["force_include"].update(files)
    build_data["tag"] = f"py3-none-{TAGS[platform]}"
    build_data["pure_python"] = False


def no_go() -> None:
    raise DevloopError("no Go that is new enough is installed")


def build(go: Go, tool: Tool, platform: str, folder: Path) -> None:
    """With the flags of the builds in devloop/clients/go, so both use the same entries of Go's cache."""
    system, machine = platform.split("-")
    folder.mkdir()
    command = [go.program, "build", *BUILD_FLAGS, f"-ldflags={tool.linker_flags}", "-o", folder / tool.name, tool.package]
    subprocess.run(command, cwd=tool.folder, env=environment(GOOS=system, GOARCH=machine), check=True)
    (folder / f"{tool.name}.version").write_text(tool.key_on(platform), encoding="utf-8")
