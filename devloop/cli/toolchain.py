"""`devloop toolchain`: lists and installs the pinned programs and their images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from devloop.model.units import MEBIBYTE

if TYPE_CHECKING:
    from devloop.images import ImageState
    from devloop.toolchain import ToolState

toolchain = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Tools = Annotated[list[str] | None, typer.Argument(metavar="TOOL", help="Programs to use.", show_default="what `up` needs")]


@toolchain.command("list")
def list_tools() -> None:
    """List versions, sizes and paths.

    Also how long a build from source takes, and what `prune` would remove.
    """
    from devloop.cli.boundary import open_console
    from devloop.toolchain import Toolchain

    with open_console() as console:
        toolchain = Toolchain()
        console.table(("tool", "version", "from", "size", "build", "path"), [_tool_row(state) for state in toolchain.states()])
        if usages := toolchain.prunable():
            console.table(("not needed", "size"), [(usage.name, _mebibytes(usage.size)) for usage in usages])


@toolchain.command("install")
def install(
    tools: Tools = None,
    keep: Annotated[
        bool,
        typer.Option("--keep-build-cache", envvar="DEVLOOP_KEEP_BUILD_CACHE", help="Keep Go's caches, so that the next build is faster."),
    ] = False,
) -> None:
    """Install pinned programs ahead of time."""
    from devloop.cli.boundary import open_console
    from devloop.commands import toolchain as programs

    with open_console() as console:
        programs.install(tuple(tools or ()), console.emit, keep_build_cache=keep)


@toolchain.command("images")
def make_images(
    images: Annotated[list[str] | None, typer.Argument(metavar="IMAGE", help="Images to build.", show_default="all")] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the images and their state in the engine without building.")] = False,
) -> None:
    """Build the images for use without a registry.

    `up --provisioner kind` uses them. They come from the pinned programs, Debian packages and devloop's own files; images that the engine
    already has are kept.
    """
    from devloop.cli.boundary import open_console
    from devloop.commands import toolchain as programs

    with open_console() as console:
        if not listed:
            programs.make_images(tuple(images or ()), console.emit)
        console.table(("image", "reference", "state", "size"), [_image_row(state) for state in programs.image_states(tuple(images or ()))])


@toolchain.command("prune")
def prune() -> None:
    """Remove what this version does not need.

    Programs and images of other versions, build caches, and what runs can render or fetch again.
    """
    from devloop.cli.boundary import open_console
    from devloop.commands import toolchain as programs

    with open_console() as console:
        removed = programs.prune(console.emit)
        total = sum(size for _, size in removed)
        console.table(("removed", "size"), [*((name, _mebibytes(size)) for name, size in removed), ("total", _mebibytes(total))])


@toolchain.command("key")
def key(tools: Tools = None) -> None:
    """Print a CI cache key for the pinned programs on this platform."""
    from devloop.cli.boundary import open_console
    from devloop.commands import toolchain as programs

    with open_console() as console:
        console.line(programs.toolchain_key(tuple(tools or ())))


def _mebibytes(size: int) -> str:
    return f"{size / MEBIBYTE:.0f} MiB"


def _tool_row(state: ToolState) -> tuple[str, ...]:
    size = _mebibytes(state.size) if state.size else ""
    return (
        state.name,
        state.version,
        state.channel or "not installed",
        size,
        f"{state.seconds:.0f} s" if state.seconds else "",
        str(state.path or ""),
    )


def _image_row(state: ImageState) -> tuple[str, ...]:
    return (state.name, state.reference, state.state, _mebibytes(state.size) if state.size else "")
