"""`devloop toolchain`: the pinned programs, and the images made from them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from devloop.clients.engine import connect
from devloop.images import Images
from devloop.model.flux.names import CONTROLLERS
from devloop.model.report import Emit
from devloop.toolchain import Toolchain

if TYPE_CHECKING:
    from devloop.images import Images, ImageState

# What `init`, `up` and `validate` can need.
EVERYTHING = (
    "worker",
    "sops",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    *CONTROLLERS,
)


def install(names: tuple[str, ...], emit: Emit) -> None:
    """Install the named tools, or all that `up` and `init` can need."""
    toolchain = Toolchain()
    toolchain.ensure(names or EVERYTHING, emit)


def make_images(names: tuple[str, ...], emit: Emit) -> None:
    """Make the named images, or all that there are; those that the engine has as they would be made now stay."""
    with _images() as images:
        images.ensure(names or images.names, emit)


def image_states(names: tuple[str, ...]) -> tuple[ImageState, ...]:
    """What the engine has of the named images, or of all."""
    with _images() as images:
        return images.states(names or images.names)


@contextlib.contextmanager
def _images() -> Iterator[Images]:
    with contextlib.closing(connect()) as engine:
        yield Images(Toolchain(), engine)


def toolchain_key(names: tuple[str, ...]) -> str:
    """What changes whenever one of the named tools does, or one of all that `up` and `init` can need."""
    return Toolchain().common_key(names or EVERYTHING)
