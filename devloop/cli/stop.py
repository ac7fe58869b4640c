"""`devloop stop`: parses the arguments."""

from pathlib import Path

import typer

from devloop.cli.options import Definition, EntryPath, Every, ExistingName, OutputFile, OutputOption, Provisioner, one_or_all
from devloop.output import TEXT
from devloop.provisioners import AUTO


def stop(
    context: typer.Context,
    environment: ExistingName = "",
    everything: Every = False,
    definition: Definition = None,
    path: EntryPath = None,
    provisioner: Provisioner = AUTO,
    output: OutputOption = TEXT,
    output_file: OutputFile = None,
) -> None:
    """Ends its processes or pauses its containers. Keeps its data and its kubeconfig entry; `devloop up` continues it.

    Works outside a repository, and if the definition is missing or broken. `devloop env list --running` lists the environments.
    """
    from devloop.cli.boundary import open_console, show
    from devloop.commands import stop as command
    from devloop.commands.request import Request

    with open_console(output, context, output_file) as console:
        one_or_all("stop", environment, everything=everything)
        root = None if everything else context.obj.optional_repository
        request = Request(root or Path(), environment, definition, provisioner, path=path)
        show(console, command.stop_all(request, console.emit) if everything else command.stop(request, root, console.emit))
