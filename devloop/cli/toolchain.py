"""Commands about the pinned programs and the images made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from devloop.model.units import MEBIBYTE

if TYPE_CHECKING:
    from devloop.images import ImageState
    from devloop.toolchain import ToolState

toolchain = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@toolchain.command("list")
def list_tools() -> None:
    """List versions, places and build times."""
    from devloop.cli.boundary import open_console
    from devloop.toolchain import Toolchain

    with open_console() as console:
        console.table(("tool", "version", "from", "size", "build", "path"), [_tool_row(state) for state in Toolchain().states()])


@toolchain.command("install")
def install(
    tools: Annotated[list[str] | None, typer.Argument(metavar="TOOL", help="Which ones.", show_default="what `up` needs")] = None,
) -> None:
    """Install pinned programs ahead of time."""
    from devloop.cli.boundary import open_console
    from devloop.commands import toolchain as programs

    with open_console() as console:
        programs.install(tuple(tools or ()), console.emit)


@toolchain.command("images")
def make_images(
    images: Annotated[list[str] | None, typer.Argument(metavar="IMAGE", help="Which ones.", show_default="all")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Only show which there are, and what the engine has of them.")] = False,
) -> None:
    """Make the container images that `up --provisioner kind` uses where no registry can be reached.

    From the pinned programs, Debian's packages and devloop's own files, into the container engine; those that are there stay.
    """
    from devloop.cli.boundary import open_console
    from devloop.commands import toolchain as programs

    with open_console() as console:
        if not listed:
            programs.make_images(tuple(images or ()), console.emit)
        console.table(("image", "reference", "state", "size"), [_image_row(state) for state in programs.image_states(tuple(images or ()))])


@toolchain.command("key")
def key(
    tools: Annotated[list[str] | None, typer.Argument(metavar="TOOL", help="Which ones.", show_default="what `up` needs")] = None,
) -> None:
    """Print what identifies pinned programs on this platform: a key for the cache of a CI system."""
    from devloop.cli.boundary import open_console
    from devloop.commands import toolchain as programs

    with open_console() as console:
        console.line(programs.toolchain_key(tuple(tools or ())))


def _tool_row(state: ToolState) -> tuple[str, ...]:
    size = f"{state.size / MEBIBYTE:.0f} MiB" if state.size else ""
    return (state.name, state.version, state.channel or "not installed", size, f"{state.seconds:.0f} s", str(state.path or ""))


def _image_row(state: ImageState) -> tuple[str, ...]:
    return (state.name, state.reference, state.state, f"{state.size / MEBIBYTE:.0f} MiB" if state.size else "")
