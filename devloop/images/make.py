"""Builds images into the engine: fetches packages while programs are built, then writes the images in parallel."""

import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from devloop.clients.background import unless_stopped
from devloop.clients.engine.images import ImageStore
from devloop.clients.lock import in_turn
from devloop.clients.xdg import cache_folder
from devloop.errors import Interrupted
from devloop.images.archive import write_archive
from devloop.images.image_builder import KEY, ImageBuilder
from devloop.images.packages import ensure_packages, packages_file
from devloop.images.recipes import Recipe
from devloop.model.report import Emit, Notice, Progress
from devloop.toolchain import Toolchain

_TITLE = "images"
PATIENCE = 900.0  # seconds to write an image and load it into the engine


def make(recipes: Sequence[Recipe], toolchain: Toolchain, store: ImageStore, emit: Emit, stop: threading.Event) -> None:
    """Build all `recipes`; raises the first error after the others have ended."""
    emit(Notice(f"building the images {', '.join(recipe.name for recipe in recipes)}"))
    with ThreadPoolExecutor(max_workers=3) as pool:
        try:
            _side_by_side(pool, recipes, ImageBuilder(toolchain, stop), store, emit)
        except BaseException:
            stop.set()  # the pool waits for its threads
            raise


def _side_by_side(pool: ThreadPoolExecutor, recipes: Sequence[Recipe], builder: ImageBuilder, store: ImageStore, emit: Emit) -> None:
    packages = dict.fromkeys(names for recipe in recipes for names in recipe.packages)
    fetched = [pool.submit(_fetch, names, builder.stop, emit) for names in packages]
    builder.toolchain.ensure(dict.fromkeys(name for recipe in recipes for name in recipe.tools), emit, builder.stop)
    for future in fetched:
        future.result()
    for future in [pool.submit(_make, recipe, builder, store, emit) for recipe in recipes]:
        future.result()


def _fetch(packages: tuple[str, ...], stop: threading.Event, emit: Emit) -> None:
    if packages_file(packages).exists():
        return
    item = f"Debian's {packages[0]}" + (f" and {len(packages) - 1} more" if len(packages) > 1 else "")
    emit(Progress(_TITLE, item))
    ensure_packages(packages, stop, lambda: emit(Notice(f"waiting for another run that is fetching {item}")))
    emit(Progress(_TITLE, item, 1.0, 0.0, done=True))


def _make(recipe: Recipe, builder: ImageBuilder, store: ImageStore, emit: Emit) -> None:
    if builder.stop.is_set():
        raise Interrupted("stopped while building images")
    emit(Progress(_TITLE, recipe.name))
    lock = cache_folder() / "images" / f"{recipe.name}.lock"
    waiting = f"waiting for another run that is building the image {recipe.name}"
    with in_turn(lock, lambda holder: emit(Notice(f"{waiting} (process {holder})")), builder.stop):
        reference, key = recipe.reference(builder.toolchain), recipe.key(builder.toolchain)
        if store.labels(KEY).get(reference) != key:
            outdated = store.identity(reference)
            _put(recipe, builder, store, reference, {KEY: key})
            store.remove(outdated)
    emit(Progress(_TITLE, recipe.name, 1.0, 0.0, done=True))


def _put(recipe: Recipe, builder: ImageBuilder, store: ImageStore, reference: str, labels: dict[str, str]) -> None:
    if not recipe.bake:
        _load(recipe, builder, store, reference, labels)
        return
    unbaked = f"{reference}-unbaked"
    try:
        config = _load(recipe, builder, store, unbaked, {})
        store.derive(unbaked, recipe.bake.command, reference, {**config, "Labels": labels}, recipe.bake.options, builder.stop)
    finally:
        store.remove(unbaked)


def _load(recipe: Recipe, builder: ImageBuilder, store: ImageStore, reference: str, labels: dict[str, str]) -> dict[str, object]:
    """Write and load the image; returns its configuration."""
    folder = cache_folder() / "images"
    with tempfile.NamedTemporaryFile(prefix=f".{recipe.name}-", suffix=".tar", dir=folder) as file, recipe.contents(builder) as contents:

        def load() -> None:
            write_archive(file.file, reference, contents, labels)
            file.flush()
            store.load(Path(file.name), reference)

        unless_stopped(load, recipe.name, builder.stop, PATIENCE)
        return dict(contents.config)
