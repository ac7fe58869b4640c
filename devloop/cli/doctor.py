"""`devloop doctor`: parses the arguments."""

from typing import Annotated

import typer

from devloop.cli.options import Definition, EntryPath, KeyFile, MachineOutput, Provisioner, environment_names
from devloop.output import TEXT
from devloop.provisioners import AUTO


def doctor(
    context: typer.Context,
    environment: Annotated[
        str,
        typer.Argument(
            metavar="ENV", help="Also check what this environment needs.", show_default="only the machine", autocompletion=environment_names
        ),
    ] = "",
    definition: Definition = None,
    path: EntryPath = None,
    provisioner: Provisioner = AUTO,
    key_file: KeyFile = None,
    output: MachineOutput = TEXT,
) -> None:
    """Checks container engine, programs, limits, disk and clock; with ENV also its definition, ports and keys. Changes nothing."""
    from devloop.cli.boundary import open_console, show
    from devloop.commands.doctor import doctor as run

    with open_console(output, context) as console:
        report = run(
            lambda: context.obj.repository, environment, definition=definition, path=path, provisioner=provisioner, key_file=key_file
        )
        show(console, report)
