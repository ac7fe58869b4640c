"""`devloop toolchain`: the pinned programs, and the images built from them."""

import contextlib
from collections.abc import Iterator

from devloop.clients.engine import answers, connect
from devloop.clients.go.caches import remove_build_caches
from devloop.clients.removal import remove_folder
from devloop.clients.xdg import build_folder
from devloop.diagnostic import Severity
from devloop.hint import DevloopCommand
from devloop.images import Images, ImageState
from devloop.model.flux.names import CONTROLLERS
from devloop.model.report import Emit, Notice
from devloop.provisioners import runs_here
from devloop.toolchain import Toolchain
from devloop.toolchain.disk_usage import size_of

# What `init`, `up` and `validate` can need, `up` without a container engine where that is possible.
_EMBEDDED = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", *CONTROLLERS)
EVERYTHING = ("worker", "sops", *(_EMBEDDED if runs_here("embedded") else ("kind",)))


def install(names: tuple[str, ...], emit: Emit, *, keep_build_cache: bool = False) -> None:
    """The named tools, or all."""
    toolchain = Toolchain()
    toolchain.ensure(names or EVERYTHING, emit)
    if not keep_build_cache:
        toolchain.end_builds()


def make_images(names: tuple[str, ...], emit: Emit) -> None:
    """Make the named images, or all, unless the engine has them up to date."""
    with _images() as images:
        images.ensure(names or images.names, emit)
    Toolchain().end_builds()


def image_states(names: tuple[str, ...]) -> tuple[ImageState, ...]:
    with _images() as images:
        return images.states(names or images.names)


def prune(emit: Emit) -> tuple[tuple[str, int], ...]:
    """Remove programs and images of other versions and all that runs can renew; what was removed, with its bytes."""
    removed = []
    for usage in Toolchain().prunable():
        for busy in usage.in_use:
            emit(Notice(f"{busy} is in use by a running environment", Severity.WARNING, DevloopCommand("down", "ENV")))
        for path in usage.paths:
            remove_build_caches() if path == build_folder() else remove_folder(path)
        removed.append((usage.name, usage.size - size_of(usage.paths)))
    if answers():
        with _images() as images:
            removed += images.prune().items()
    return tuple(entry for entry in removed if entry[1])


@contextlib.contextmanager
def _images() -> Iterator[Images]:
    with contextlib.closing(connect()) as engine:
        yield Images(Toolchain(), engine)


def toolchain_key(names: tuple[str, ...]) -> str:
    """A cache key that changes whenever one of the named tools (or of all) does."""
    return Toolchain().common_key(names or EVERYTHING)
