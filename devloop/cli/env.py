"""`devloop env`: lists the environments of the repository, or those that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from devloop.cli.options import MachineOutput, OutputFile
from devloop.output import TEXT

if TYPE_CHECKING:
    from devloop.commands.env import KnownEnvironment
    from devloop.console import Console
    from devloop.provisioners.found import FoundEnvironment

env = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@env.command("list")
def list_environments(
    context: typer.Context,
    running: Annotated[
        bool,
        typer.Option("--running", help="Instead: all that exist on this machine, also stopped ones, of any repository; works outside one."),
    ] = False,
    output: MachineOutput = TEXT,
    output_file: OutputFile = None,
) -> None:
    """List names, entries and sizes.

    The entry is the folder where Flux begins; the last column is the file that says so.
    """
    from devloop.cli.boundary import open_console
    from devloop.commands.env import existing_environments, known_environments

    with open_console(output, file=output_file) as console:
        if running:
            found = existing_environments(console.emit)
            columns = ("environment", "cluster", "provisioner", "state", "repository") if found else ()
            _show(console, columns, list(map(_found_row, found)), list(map(_found_entry, found)))
        else:
            known = known_environments(context.obj.repository, console.emit)
            _show(console, ("environment", "entry", "kustomizations", "found in"), list(map(_row, known)), list(map(_entry, known)))


def _show(console: Console, columns: tuple[str, ...], rows: list[tuple[str, ...]], entries: list[dict[str, Any]]) -> None:
    """As the user wants it: a document, a table, or both; no table without `columns`."""
    from devloop.output.environments import to_json

    if console.writes_document:
        console.document(to_json(entries))
    if console.writes_text and columns:
        console.table(columns, rows)


def _row(each: KnownEnvironment) -> tuple[str, ...]:
    return each.name, each.entry_path, str(each.kustomizations), each.file


def _entry(each: KnownEnvironment) -> dict[str, Any]:
    return {"environment": each.name, "entry": each.entry_path, "kustomizations": each.kustomizations, "file": each.file}


def _found_row(each: FoundEnvironment) -> tuple[str, ...]:
    gone = " (does not exist)" if each.root and each.is_orphan else ""
    return each.environment or "unknown", each.cluster, each.provisioner, each.state.value, f"{each.root or 'unknown'}{gone}"


def _found_entry(each: FoundEnvironment) -> dict[str, Any]:
    return {
        "environment": each.environment,
        "cluster": each.cluster,
        "provisioner": each.provisioner,
        "state": each.state.value,
        "repository": each.root,
        "repositoryExists": not each.is_orphan,
    }
