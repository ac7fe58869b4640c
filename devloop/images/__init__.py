"""Container images that devloop builds from the pinned programs, Debian packages and its own files, without a registry."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devloop.clients.engine.images import ImageStore
from devloop.errors import InputError
from devloop.images import sample_platform
from devloop.images.image_builder import KEY, REGISTRY
from devloop.images.make import make
from devloop.images.recipes import RECIPES
from devloop.model.report import Emit

if TYPE_CHECKING:
    from devloop.clients.engine import Engine
    from devloop.images.recipes import Recipe
    from devloop.toolchain import Toolchain


@dataclass(frozen=True)
class ImageState:
    """One line of `devloop toolchain images --list`; `size` in bytes, 0 if the engine does not have the image."""

    name: str
    reference: str
    state: str
    size: int


class Images:
    """The images of one toolchain in one engine; contacts the engine on demand only."""

    def __init__(self, toolchain: Toolchain, engine: Engine) -> None:
        self._toolchain = toolchain
        self._store = ImageStore(engine)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(RECIPES)

    def reference(self, name: str) -> str:
        return self._recipe(name).reference(self._toolchain)

    def available(self) -> dict[str, str]:
        """Name -> reference of all images that are up to date in the engine."""
        missing = self.missing(self.names)
        return {name: self.reference(name) for name in self.names if name not in missing}

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """The images that the engine lacks or has with other content; one request to the engine."""
        recipes = [self._recipe(name) for name in dict.fromkeys(names)]
        keys = self._store.labels(KEY)
        return tuple(r.name for r in recipes if keys.get(r.reference(self._toolchain)) != r.key(self._toolchain))

    def ensure(self, names: Iterable[str], emit: Emit, stop: threading.Event | None = None) -> bool:
        """Build the missing images and the programs they need; True if there were any. Set `stop` to end early."""
        recipes = [self._recipe(name) for name in self.missing(names)]
        if recipes:
            make(recipes, self._toolchain, self._store, emit, stop or threading.Event())
        return bool(recipes)

    def prune(self) -> dict[str, int]:
        """Remove images of other versions that no container uses: reference -> bytes. Of the Git server's images, the newest stays."""
        current = {*self.available().values(), sample_platform.REFERENCE, *self._store.references(f"{REGISTRY}/git-server")[:1]}
        outdated = [reference for reference in self._store.references(f"{REGISTRY}/*") if reference not in current]
        sizes = {reference: self._store.size(reference) for reference in outdated}
        return {reference: size for reference, size in sizes.items() if self._store.remove(reference)}

    def states(self, names: Iterable[str]) -> tuple[ImageState, ...]:
        keys = self._store.labels(KEY)
        return tuple(self._state(self._recipe(name), keys) for name in names)

    def _state(self, recipe: Recipe, keys: Mapping[str, str]) -> ImageState:
        reference = recipe.reference(self._toolchain)
        if not self._store.identity(reference):
            return ImageState(recipe.name, reference, "missing", 0)
        state = "present" if keys.get(reference) == recipe.key(self._toolchain) else "outdated"
        return ImageState(recipe.name, reference, state, self._store.size(reference))

    def _recipe(self, name: str) -> Recipe:
        if name not in RECIPES:
            raise InputError(f"there is no image {name}", hint=f"the images are: {', '.join(RECIPES)}")
        return RECIPES[name]
