"""`devloop sync`: parses the arguments."""

from typing import Annotated

import typer

from devloop.cli.options import (
    AllowBuild,
    AllowRemote,
    Definition,
    EntryPath,
    Environment,
    Events,
    KeyFile,
    OutputFile,
    OutputOption,
    Provisioner,
    Timeout,
    Whole,
    seconds,
)
from devloop.output import TEXT
from devloop.provisioners import AUTO


def sync(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    path: EntryPath = None,
    provisioner: Provisioner = AUTO,
    key_file: KeyFile = None,
    timeout: Timeout = None,
    no_validate: Annotated[bool, typer.Option("--no-validate", help="Skip validation.")] = False,
    whole: Whole = False,
    allow_remote: AllowRemote = False,
    allow_build: AllowBuild = False,
    output: OutputOption = TEXT,
    output_file: OutputFile = None,
    events: Events = "",
) -> None:
    """Pushes the working tree, with uncommitted changes, and follows Flux until everything is ready at it. Shows where the time went.

    A later sync supersedes one that is under way.
    """
    from devloop.cli.boundary import open_console, show
    from devloop.cli.build_consent import ask_for_build_commands
    from devloop.commands.request import Request
    from devloop.commands.sync import sync as run

    ask_for_build_commands(context, allowed=allow_build)
    with open_console(output, context, output_file, events=events) as console:
        limit = seconds(timeout)
        flags = {"validate": not no_validate, "allow_remote": allow_remote, "whole": whole}
        request = Request(context.obj.repository, environment, definition, provisioner, key_file, limit, path=path, **flags)
        show(console, run(request, console.emit))
