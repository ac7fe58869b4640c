"""The command line. Commands import what they need when they run, so that `--help` is fast."""

import os
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from devloop.model.commands import COMMANDS

app = typer.Typer(
    name="devloop",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A local GitOps development loop: real Flux reconciles the working tree on a local cluster within seconds.",
    epilog="To start: devloop init demo && devloop -C demo up local",
)


class RepositoryOption(NamedTuple):
    """`directory` is the value of -C; None searches from the current directory."""

    directory: Path | None

    @property
    def repository(self) -> Path:
        """The nearest folder with a definition, or without one the Git repository."""
        from devloop.errors import InputError
        from devloop.hint import command
        from devloop.repository.environments import find_root

        if self.directory is None:
            return find_root(Path.cwd())
        if not self.directory.is_dir():
            raise InputError(f"-C {self.directory} is not a directory", hint=command("ls -ld", self.directory))
        return self.directory.resolve()

    @property
    def optional_repository(self) -> Path | None:
        """None outside of a repository."""
        from devloop.errors import InputError

        try:
            return self.repository
        except InputError:
            if self.directory is not None:
                raise
            return None


def _load(name: str) -> None:
    """Adds the command with its options."""
    command = getattr(import_module(f"devloop.cli.{name}"), name)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, help=COMMANDS[name].summary)
    else:
        app.command(name, help=f"{COMMANDS[name].summary}\n\n{cleandoc(command.__doc__ or '')}")(command)


def _load_commands(argv: list[str]) -> None:
    """Loads the options of commands in `argv`, or of all for shell completion; the overview needs none."""
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
        Path | None, typer.Option("-C", metavar="DIR", help="Repository root.", show_default="the nearest parent with a definition")
    ] = None,
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    context.obj = RepositoryOption(directory)


def run(argv: list[str]) -> int:
    """Runs the command line and returns the exit code."""
    _load_commands(argv)
    try:
        app(args=argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except OSError as error:
        from devloop.errors import ExitCode, refused

        # Typer failed to print help; errors of commands are handled by open_console.
        typer.echo(f"error: {refused(error) or error}", err=True)
        return ExitCode.UNHEALTHY
    return 0
