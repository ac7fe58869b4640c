"""The command line: parse, call, show, exit code. Imports of what a command needs are inside it, so that `--help` is quick."""

from __future__ import annotations

import os
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import Annotated

import typer

from devloop.model.commands import COMMANDS

app = typer.Typer(
    name="devloop",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A local GitOps development loop: the working tree, reconciled by real Flux on a local cluster, within seconds.",
    epilog="To begin: devloop init demo && devloop -C demo up local",
)


def _load(name: str) -> None:
    """Add the command with its options."""
    command = getattr(import_module(f"devloop.cli.{name}"), name)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, help=COMMANDS[name].summary)
    else:
        app.command(name, help=f"{COMMANDS[name].summary}\n\n{cleandoc(command.__doc__ or '')}")(command)


def _load_commands(argv: list[str]) -> None:
    """Only what `argv` may name, and all where a shell completes: the overview needs no options."""
    completes = any(name.startswith("_DEVLOOP") for name in os.environ)
    for name, command in COMMANDS.items():
        if completes or name in argv:
            _load(name)
        else:
            app.command(name, help=command.summary)(lambda: None)


def _print_version(wanted: bool) -> None:
    if wanted:
        from devloop import __version__

        typer.echo(f"devloop {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    directory: Annotated[
        Path | None,
        typer.Option("-C", metavar="DIR", help="The repository's root.", show_default="the nearest parent with a definition"),
    ] = None,
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")] = False,
) -> None:
    from devloop.cli.place import Place

    context.obj = Place(directory)


def run(argv: list[str]) -> int:
    """Run the command line; the exit code."""
    _load_commands(argv)
    try:
        app(args=argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except OSError as error:
        from devloop.errors import ExitCode, refused

        # Of typer's own words, like the help; what commands print has its boundary.
        told = refused(error)
        typer.echo(f"error: {told.message if told else error}", err=True)
        return ExitCode.UNHEALTHY
    return 0
