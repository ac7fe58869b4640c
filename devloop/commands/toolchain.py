"""`devloop toolchain`: the pinned programs, and the images built from them."""

import contextlib
from collections.abc import Iterator

from devloop.clients.engine import connect
from devloop.images import Images, ImageState
from devloop.model.flux.names import CONTROLLERS
from devloop.model.report import Emit
from devloop.provisioners import runs_here
from devloop.toolchain import Toolchain

# What `init`, `up` and `validate` can need, `up` without a container engine where that is possible.
_EMBEDDED = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", *CONTROLLERS)
EVERYTHING = ("worker", "sops", *(_EMBEDDED if runs_here("embedded") else ("kind",)))


def install(names: tuple[str, ...], emit: Emit) -> None:
    """The named tools, or all."""
    Toolchain().ensure(names or EVERYTHING, emit)


def make_images(names: tuple[str, ...], emit: Emit) -> None:
    """Make the named images, or all, unless the engine has them up to date."""
    with _images() as images:
        images.ensure(names or images.names, emit)


def image_states(names: tuple[str, ...]) -> tuple[ImageState, ...]:
    with _images() as images:
        return images.states(names or images.names)


@contextlib.contextmanager
def _images() -> Iterator[Images]:
    with contextlib.closing(connect()) as engine:
        yield Images(Toolchain(), engine)


def toolchain_key(names: tuple[str, ...]) -> str:
    """A cache key that changes whenever one of the named tools (or of all) does."""
    return Toolchain().common_key(names or EVERYTHING)
