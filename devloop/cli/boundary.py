"""Runs the body of a command: opens a console, turns errors into exit codes, shows the report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from devloop.errors import DevloopError, ExitCode, InputError, refused
from devloop.hint import command
from devloop.output import TEXT

if TYPE_CHECKING:
    from devloop.console import Console
    from devloop.console.command_hints import CommandContext
    from devloop.model.report import Report


@contextlib.contextmanager
def open_console(output: str = TEXT, context: typer.Context | None = None, file: Path | None = None) -> Iterator[Console]:
    """A console that shows errors, with `context` also as a report, and turns them into exit codes."""
    from devloop.console import Console
    from devloop.console.command_hints import CommandContext

    hints = _command_context(context) if context else CommandContext()
    console = Console(output, file, hints, follows=bool(context and context.params.get("watch")))
    try:
        with console:
            _check_file(output, file)
            yield console
    except DevloopError as error:
        console.error(error)
        if context and output != TEXT:
            from devloop.commands.request import refusal

            console.show(refusal(context.info_name or "", hints.environment, error))
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except (typer.Exit, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 (the boundary)
        if isinstance(error.__cause__, KeyboardInterrupt):  # raised while a class was created, which wraps exceptions
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        from devloop.runner import write_traceback

        if isinstance(error, OSError) and (write_error := refused(error)):
            console.error(write_error)
            raise typer.Exit(write_error.exit_code) from None
        console.bug(write_traceback(error))
        raise typer.Exit(ExitCode.BUG) from None


def _check_file(output: str, file: Path | None) -> None:
    if file and output == TEXT:
        raise InputError("--output-file requires --output", hint=f"--output json --output-file {file}")
    if file and not file.absolute().parent.is_dir():
        raise InputError(f"the folder of --output-file {file} does not exist", hint=command("mkdir -p", file.parent))


def show(console: Console, report: Report) -> NoReturn:
    console.__exit__()
    console.show(report)
    raise typer.Exit(report.exit_code)


def _command_context(context: typer.Context) -> CommandContext:
    """Options from the command line; those from environment variables apply to the commands of hints anyway."""
    from devloop.console.command_hints import CommandContext

    environment, sources = context.params.get("environment"), {name: context.get_parameter_source(name) for name in context.params}
    options = {
        n: str(context.params[n]) for n in ("definition", "provisioner", "path") if (s := sources.get(n)) and s.name == "COMMANDLINE"
    }
    return CommandContext.of(environment if isinstance(environment, str) else "", str(context.obj.directory or ""), **options)
