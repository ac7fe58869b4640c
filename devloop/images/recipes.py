"""The table of images: name, tag and content."""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from devloop.clients.debian import SUITE
from devloop.images import control_plane, flux, git_server, node, sample_platform
from devloop.images.archive import Contents
from devloop.images.image_builder import HERE, REGISTRY, ImageBuilder, own_paths
from devloop.model.flux.names import CONTROLLERS
from devloop.toolchain import Toolchain

# The modules that determine the content of every image.
_EVERY = ("archive", "image_builder")


@dataclass(frozen=True)
class BuildCommand:
    """A command that runs once in the new image; its changes become part of the image."""

    command: list[str]
    options: dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """One image. The tag is `tag` or the version of the tool `versioned`; `folders` and `modules` of this package count as content."""

    name: str
    contents: Callable[[ImageBuilder], AbstractContextManager[Contents]]
    tools: tuple[str, ...] = ()
    packages: tuple[tuple[str, ...], ...] = ()
    folders: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    versioned: str = ""
    tag: str = ""
    bake: BuildCommand | None = None

    def reference(self, toolchain: Toolchain) -> str:
        return f"{REGISTRY}/{self.name}:{self.tag or 'v' + toolchain.version(self.versioned)}"

    def key(self, toolchain: Toolchain) -> str:
        """A digest of everything in the image; Debian packages count by name, not by version."""
        bake = [self.bake.command, self.bake.options] if self.bake else []
        inputs = [SUITE, self.reference(toolchain), self.packages, bake, [toolchain.key(name) for name in self.tools]]
        digest = hashlib.sha256(json.dumps(inputs).encode())
        modules = (HERE / f"{name}.py" for name in (*_EVERY, *self.modules))
        for path in (*modules, *(path for name in self.folders for path in own_paths(name))):
            digest.update(f"{path.relative_to(HERE)}\0".encode() + path.read_bytes() + b"\0")
        return digest.hexdigest()[:16]


def _controller(name: str) -> Recipe:
    return Recipe(name, partial(flux.controller, name=name), (name,), (flux.PACKAGES,), modules=("flux",), versioned=name)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "node",
            node.node,
            (*node.PROGRAMS, *control_plane.TOOLS, *CONTROLLERS),
            (node.PACKAGES, control_plane.PROXY_PACKAGES, control_plane.PAUSE_PACKAGES, flux.PACKAGES),
            ("node",),
            ("node", "control_plane", "flux", "layout"),
            versioned="kubelet",
            bake=BuildCommand(node.BAKE, node.BAKE_OPTIONS),
        ),
        *(_controller(name) for name in CONTROLLERS),
        Recipe("git-server-base", git_server.git_server_base, packages=(git_server.PACKAGES,), modules=("git_server",), tag=SUITE),
        Recipe(
            "sample",
            sample_platform.sample,
            packages=(sample_platform.PACKAGES,),
            folders=("sample",),
            modules=("sample_platform", "git_server"),
            tag=sample_platform.TAG,
            bake=BuildCommand(sample_platform.WARM, {"user": "0", "working_dir": "/app"}),
        ),
    )
}
