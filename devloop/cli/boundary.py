"""Around every command: a console, errors as exit codes, the report at the end."""

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
    """A console around a command; errors are shown by it, with `context` also as a report, and become exit codes."""
    from devloop.console import Console

    console = Console(output, file, _spoken(context) if context else None, follows=bool(context and context.params.get("watch")))
    try:
        with console:
            _check_file(output, file)
            yield console
    except DevloopError as error:
        console.error(error)
        if context and output != TEXT:
            from devloop.commands.request import refusal

            named = context.params.get("environment")
            console.show(refusal(context.info_name or "", named if isinstance(named, str) else "", error))
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except (typer.Exit, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 (the boundary)
        if isinstance(error.__cause__, KeyboardInterrupt):  # it came while a class was made, which wraps what happens meanwhile
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        from devloop.runner import write_traceback

        if told := refused(error) if isinstance(error, OSError) else None:
            console.error(told)
            raise typer.Exit(told.exit_code) from None
        console.bug(write_traceback(error))
        raise typer.Exit(ExitCode.BUG) from None


def _check_file(output: str, file: Path | None) -> None:
    """Before anything is done: a report that cannot be written is no use."""
    if file and output == TEXT:
        raise InputError("--output-file wants a format of its own", hint=f"--output json --output-file {file}")
    if file and not file.absolute().parent.is_dir():
        raise InputError(f"the folder of --output-file {file} does not exist", hint=command("mkdir -p", file.parent))


def show(console: Console, report: Report) -> NoReturn:
    console.__exit__()
    console.show(report)
    raise typer.Exit(report.exit_code)


def _spoken(context: typer.Context) -> CommandContext:
    """How commands are named from where the user stands: with what was typed, not with what environment variables say anyway."""
    from devloop.console.command_hints import CommandContext

    directory, named = context.obj.directory, context.params.get("environment")
    typed = {name: str(context.params[name]) for name in ("definition", "provisioner") if _was_typed(context, name)}
    return CommandContext.of(named if isinstance(named, str) else "", str(directory or ""), **typed)


def _was_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
