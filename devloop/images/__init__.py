"""Container images that are made here, from the pinned programs, Debian's packages and our own files, where no registry has them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devloop.clients.images import ImageStore
from devloop.errors import InputError
from devloop.images.make import KEY, make
from devloop.images.recipes import RECIPES
from devloop.model.flux.names import CONTROLLERS
from devloop.model.report import Emit

if TYPE_CHECKING:
    from devloop.clients.engine import Engine
    from devloop.images.recipes import Recipe
    from devloop.toolchain import Toolchain


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
        self._store = ImageStore(engine)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(RECIPES)

    def reference(self, name: str) -> str:
        """What the image is called in the engine and in manifests."""
        return self._recipe(name).reference(self._toolchain)

    def present(self, name: str) -> bool:
        """Whether the engine has the image, made of what it would be made of now."""
        return not self.missing([name])

    def here(self) -> dict[str, str]:
        """Name -> reference of all that are present."""
        missing = self.missing(self.names)
        return {name: self.reference(name) for name in self.names if name not in missing}

    @property
    def carried(self) -> tuple[str, ...]:
        """The images that our own node image brings along: a node made from it needs none of them loaded."""
        return CONTROLLERS

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Which of `names` are not present; a single question to the engine."""
        recipes = [self._recipe(name) for name in dict.fromkeys(names)]
        found = self._store.labels(KEY)
        return tuple(r.name for r in recipes if found.get(r.reference(self._toolchain)) != r.key(self._toolchain))

    def ensure(self, names: Iterable[str], emit: Emit, stop: threading.Event | None = None) -> bool:
        """Make those that are not present, with all that they need; True when there was one. Set `stop` to end it early."""
        absent = [self._recipe(name) for name in self.missing(names)]
        if not absent:
            return False
        make(absent, self._toolchain, self._store, emit, stop or threading.Event())
        return True

    def states(self, names: Iterable[str]) -> tuple[ImageState, ...]:
        found = self._store.labels(KEY)
        return tuple(self._state(self._recipe(name), found) for name in names)

    def _state(self, recipe: Recipe, found: Mapping[str, str]) -> ImageState:
        reference = recipe.reference(self._toolchain)
        if not self._store.identity(reference):
            return ImageState(recipe.name, reference, "missing", 0)
        state = "present" if found.get(reference) == recipe.key(self._toolchain) else "outdated"
        return ImageState(recipe.name, reference, state, self._store.size(reference))

    def _recipe(self, name: str) -> Recipe:
        if name not in RECIPES:
            raise InputError(f"there is no image {name}", hint=f"the images are: {', '.join(RECIPES)}")
        return RECIPES[name]
