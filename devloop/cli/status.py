"""`devloop status`: parses the arguments."""

from typing import Annotated

import typer

from devloop.cli.options import Definition, EntryPath, Environment, OutputFile, OutputOption, Provisioner
from devloop.output import TEXT
from devloop.provisioners import AUTO


def status(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    path: EntryPath = None,
    provisioner: Provisioner = AUTO,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep watching until Ctrl-C.")] = False,
    output: OutputOption = TEXT,
    output_file: OutputFile = None,
) -> None:
    """Lists Kustomizations in dependency order with messages from Flux and the workloads. Changes nothing."""
    from devloop.cli.boundary import open_console, show
    from devloop.commands.request import Request
    from devloop.commands.status import status as run
    from devloop.console.live import View

    with open_console(output, context, output_file, view=View(follows=watch)) as console:
        show(console, run(Request(context.obj.repository, environment, definition, provisioner, path=path), console.emit, follow=watch))
