"""`devloop down`: parses the arguments."""

import typer

from devloop.cli.options import Definition, EntryPath, Environment, OutputFile, OutputOption, Provisioner
from devloop.output import TEXT
from devloop.provisioners import AUTO


def down(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    path: EntryPath = None,
    provisioner: Provisioner = AUTO,
    output: OutputOption = TEXT,
    output_file: OutputFile = None,
) -> None:
    """Removes its processes, data and kubeconfig entry. Succeeds if there is nothing to remove."""
    from devloop.cli.boundary import open_console, show
    from devloop.commands.down import down as run
    from devloop.commands.request import Request

    with open_console(output, context, output_file) as console:
        show(console, run(Request(context.obj.repository, environment, definition, provisioner, path=path), console.emit))
