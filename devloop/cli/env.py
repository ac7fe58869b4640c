"""`devloop env`: lists the environments of the repository, or those that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from devloop.commands.env import KnownEnvironment
    from devloop.provisioners.found import FoundEnvironment

env = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@env.command("list")
def list_environments(
    context: typer.Context,
    running: Annotated[
        bool, typer.Option("--running", help="Instead: all that exist on this machine, of any repository; works outside one.")
    ] = False,
) -> None:
    """List names, entries and sizes.

    The entry is the folder where Flux begins; the last column is the file that says so.
    """
    from devloop.cli.boundary import open_console
    from devloop.commands.env import existing_environments, known_environments

    with open_console() as console:
        if running:
            if found := existing_environments(console.emit):
                console.table(("environment", "cluster", "provisioner", "state", "repository"), list(map(_found_row, found)))
            return
        console.table(
            ("environment", "entry", "kustomizations", "found in"),
            [_row(each) for each in known_environments(context.obj.repository, console.emit)],
        )


def _row(each: KnownEnvironment) -> tuple[str, ...]:
    return each.name, each.entry_path, str(each.kustomizations), each.file


def _found_row(each: FoundEnvironment) -> tuple[str, ...]:
    gone = " (does not exist)" if each.root and each.is_orphan else ""
    return each.environment or "unknown", each.cluster, each.provisioner, each.state.value, f"{each.root or 'unknown'}{gone}"
