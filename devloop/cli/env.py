"""`devloop env`: lists the environments of the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from devloop.commands.env import KnownEnvironment

env = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@env.command("list")
def list_environments(context: typer.Context) -> None:
    """List names, entries and sizes.

    The entry is the folder where Flux begins; the last column is the file that says so.
    """
    from devloop.cli.boundary import open_console
    from devloop.commands.env import known_environments

    with open_console() as console:
        console.table(
            ("environment", "entry", "kustomizations", "found in"),
            [_row(each) for each in known_environments(context.obj.repository, console.emit)],
        )


def _row(each: KnownEnvironment) -> tuple[str, ...]:
    return each.name, each.entry_path, str(each.kustomizations), each.file
