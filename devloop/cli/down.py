"""`devloop down`: parses the arguments."""

from pathlib import Path

import typer

from devloop.cli.options import Definition, EntryPath, Every, ExistingName, OutputFile, OutputOption, Provisioner, one_or_all
from devloop.output import TEXT
from devloop.provisioners import AUTO


def down(
    context: typer.Context,
    environment: ExistingName = "",
    everything: Every = False,
    definition: Definition = None,
    path: EntryPath = None,
    provisioner: Provisioner = AUTO,
    output: OutputOption = TEXT,
    output_file: OutputFile = None,
) -> None:
    """Removes its processes, data and kubeconfig entry. Succeeds if nothing of an environment of the repository exists.

    Works outside a repository, and if the definition is missing or broken. `devloop env list --running` lists the environments.
    """
    from devloop.cli.boundary import open_console, show
    from devloop.commands import down as command
    from devloop.commands.request import Request

    with open_console(output, context, output_file) as console:
        one_or_all("down", environment, everything=everything)
        root = None if everything else context.obj.optional_repository
        request = Request(root or Path(), environment, definition, provisioner, path=path)
        show(console, command.down_all(request, console.emit) if everything else command.down(request, root, console.emit))
