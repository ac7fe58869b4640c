"""`devloop up`: parses the arguments."""

from typing import Annotated

import typer

from devloop.cli.options import (
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
    seconds,
)
from devloop.output import TEXT
from devloop.provisioners import AUTO


def up(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    path: EntryPath = None,
    provisioner: Provisioner = AUTO,
    recreate: Annotated[bool, typer.Option("--recreate", help="Recreate the cluster.")] = False,
    key_file: KeyFile = None,
    timeout: Timeout = None,
    no_validate: Annotated[bool, typer.Option("--no-validate", help="Skip validation.")] = False,
    allow_remote: AllowRemote = False,
    output: OutputOption = TEXT,
    output_file: OutputFile = None,
    events: Events = "",
) -> None:
    """Creates the cluster if there is none, or continues with an existing one. Includes uncommitted changes. Validation errors stop the run
    before anything is created.
    """
    from devloop.cli.boundary import open_console, show
    from devloop.commands.request import Request
    from devloop.commands.up import up as run

    with open_console(output, context, output_file, events=events) as console:
        limit = seconds(timeout)
        flags = {"validate": not no_validate, "recreate": recreate, "allow_remote": allow_remote}
        request = Request(context.obj.repository, environment, definition, provisioner, key_file, limit, path=path, **flags)
        show(console, run(request, console.emit))
