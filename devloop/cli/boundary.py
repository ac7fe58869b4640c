"""Runs the body of a command: opens a console, turns errors into exit codes, shows the report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from devloop.errors import DevloopError, ExitCode, InputError, Interrupted, refused
from devloop.hint import command
from devloop.output import STDOUT, TEXT

if TYPE_CHECKING:
    from devloop.console import Console
    from devloop.console.command_hints import CommandContext
    from devloop.console.live import View
    from devloop.model.report import Report


@contextlib.contextmanager
def open_console(
    output: str = TEXT,
    context: typer.Context | None = None,
    file: Path | None = None,
    *,
    events: str = "",
    view: View | None = None,
    reports: bool = True,
) -> Iterator[Console]:
    """A console that shows errors and turns them into exit codes; `events` is that of --events.

    With `context` hints are for the options of this command line, and an error is also a report if the command `reports`.
    """
    from devloop.console import Console
    from devloop.console.command_hints import CommandContext

    hints = _command_context(context) if context else CommandContext()
    console = Console(output, file, hints, view=view, to_stderr=events == STDOUT)
    try:
        with console:
            _check_file(output, file)
            if events and context:
                _open_events(console, context, events, output, file)
            yield console
    except DevloopError as error:
        console.error(error)
        if context and reports:
            _refuse(console, context, error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        if context and reports:
            _refuse(console, context, Interrupted("interrupted"))
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


def _open_events(console: Console, context: typer.Context, target: str, output: str, file: Path | None) -> None:
    from devloop.output.event_file import EventFile
    from devloop.output.events import EventStream

    if target == STDOUT and output != TEXT and file is None:
        raise InputError("--events - and --output need standard output both", hint="--output-file FILE")
    if target != STDOUT:
        _check_events(context, Path(target), file)
    lines = EventFile(target)
    console.events.open(lambda: EventStream(lines.write, context.info_name or "", _environment(context)))


def _check_events(context: typer.Context, target: Path, file: Path | None) -> None:
    """Raises InputError for a file that another option uses, or that is part of the snapshot: each event would change the revision."""
    path = target.resolve()
    if file and path == file.resolve():
        raise InputError(f"--events and --output-file are both {target}", hint="use two files")
    root = context.obj.optional_repository
    if root and path.is_relative_to(root) and _is_kept(path, root):
        raise InputError(f"--events {target} is part of the working tree", hint="use a file outside of it, or one that Git ignores")


def _is_kept(path: Path, root: Path) -> bool:
    """Whether a snapshot has the file."""
    from devloop.clients.git import git

    # The command refuses literal pathspecs, and takes none.
    env = {"GIT_LITERAL_PATHSPECS": "0"}
    return git("check-ignore", "--quiet", str(path), cwd=root, env=env, check=False).status == 1 and ".git" not in path.parts


def _refuse(console: Console, context: typer.Context, error: DevloopError) -> None:
    """Ends a command without a report of its own: for programs, the report of an error."""
    from devloop.output.step_summary import summary_file

    if console.writes_document or console.events.is_open or summary_file():
        from devloop.commands.request import refusal

        report = refusal(context.info_name or "", _environment(context), error)
        if console.writes_document:
            console.show(report)
        console.conclude(report)


def _environment(context: typer.Context) -> str:
    environment = context.params.get("environment")
    return environment if isinstance(environment, str) else ""


def show(console: Console, report: Report) -> NoReturn:
    console.__exit__()
    console.show(report)
    console.conclude(report)
    raise typer.Exit(report.exit_code or console.events.failure)


def _command_context(context: typer.Context) -> CommandContext:
    """Options from the command line; those from environment variables apply to the commands of hints anyway."""
    from devloop.console.command_hints import CommandContext

    sources = {name: context.get_parameter_source(name) for name in context.params}
    options = {
        n: str(context.params[n]) for n in ("definition", "provisioner", "path") if (s := sources.get(n)) and s.name == "COMMANDLINE"
    }
    return CommandContext.of(_environment(context), str(context.obj.directory or ""), **options)
