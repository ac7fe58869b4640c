"""Asks once before commands of a repository run, and again when they change."""

import sys
from pathlib import Path

import typer


def ask_for_build_commands(context: typer.Context, *, allowed: bool) -> None:
    """`allowed` is the answer of the command line; without a terminal, nothing is asked and nothing is allowed."""
    from devloop.cli.boundary import open_console
    from devloop.errors import InputError
    from devloop.model.lint.settings import PATH
    from devloop.repository.build_commands import allow, is_allowed, load_build_commands

    try:
        root: Path = context.obj.repository
        commands = load_build_commands(root)
    except InputError:
        return  # the run reports it
    if is_allowed(root, commands):
        return
    if not allowed and sys.stdin.isatty() and sys.stdout.isatty():
        for command in commands:
            typer.echo(f"{PATH}:{command.line} runs, after a change below {', '.join(command.paths)}: {command}")
        allowed = typer.confirm("Allow these commands on this machine?")
    if allowed:
        with open_console(context=context, reports=False):
            allow(root, commands)
