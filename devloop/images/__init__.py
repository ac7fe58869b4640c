"""Container images that are made here, from the pinned programs, Debian's packages and our own files, where no registry has them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devloop.errors import InputError
from devloop.model.report import Emit

if TYPE_CHECKING:
    from devloop.clients.engine import Engine
    from devloop.images.recipes import Recipe
    from devloop.toolchain import Toolchain

KEY = "devloop.dev/key"


@dataclass(frozen=True)
class ImageState:
    """One line of `devloop toolchain images --list`; `size` in bytes, 0 where there is none."""

    name: str
    reference: str
    state: str
    size: int


class Images:
    """The images of one toolchain in one engine. Cheap to open; asks the engine only what it is asked."""

    def __init__(self, toolchain: Toolchain, engine: Engine) -> None:
        self._toolchain = toolchain
        self._engine = engine

    @property
    def names(self) -> tuple[str, ...]:
        from devloop.images.recipes import RECIPES

        return tuple(RECIPES)

    def reference(self, name: str) -> str:
        """What the image is called in the engine and in manifests."""
        return self._recipe(name).reference(self._toolchain)

    def present(self, name: str) -> bool:
        """Whether the engine has the image, made of what it would be made of now."""
        from devloop.clients.image_archives import label

        recipe = self._recipe(name)
        return label(self._engine, recipe.reference(self._toolchain), KEY) == recipe.key(self._toolchain)

    def here(self) -> dict[str, str]:
        """Name -> reference of all that are present."""
        from devloop.clients.image_archives import labels
        from devloop.images.recipes import RECIPES

        found = labels(self._engine, KEY)
        references = {name: recipe.reference(self._toolchain) for name, recipe in RECIPES.items()}
        return {name: r for name, r in references.items() if r in found and found[r] == RECIPES[name].key(self._toolchain)}

    @property
    def carried(self) -> tuple[str, ...]:
        """The images that our own node image brings along: a node made from it needs none of them loaded."""
        from devloop.images.flux import CONTROLLERS

        return CONTROLLERS

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in dict.fromkeys(names) if not self.present(name))

    def ensure(self, names: Iterable[str], emit: Emit, stop: threading.Event | None = None) -> bool:
        """Make those that are not present, with all that they need; True when there was one. Set `stop` to end it early."""
        absent = [self._recipe(name) for name in self.missing(names)]
        if not absent:
            return False
        from devloop.images.make import make

        make(absent, self._toolchain, self._engine, emit, stop or threading.Event())
        return True

    def states(self, names: Iterable[str]) -> tuple[ImageState, ...]:
        return tuple(self._state(name) for name in names)

    def _state(self, name: str) -> ImageState:
        from devloop.clients.image_archives import label, size

        reference = self.reference(name)
        found = label(self._engine, reference, KEY)
        if found is None:
            return ImageState(name, reference, "missing", 0)
        state = "present" if found == self._recipe(name).key(self._toolchain) else "outdated"
        return ImageState(name, reference, state, size(self._engine, reference))

    def _recipe(self, name: str) -> Recipe:
        from devloop.images.recipes import RECIPES

        if name not in RECIPES:
            raise InputError(f"there is no image {name}", hint=f"the images are: {', '.join(RECIPES)}")
        return RECIPES[name]
