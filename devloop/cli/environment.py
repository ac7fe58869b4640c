"""Commands about one environment: up, status, down, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from devloop.cli.boundary import open_console, show
from devloop.cli.options import (
    AllowRemote,
    Definition,
    Environment,
    KeyFile,
    Output,
    OutputFile,
    OutputOption,
    Place,
    Provisioner,
    ProvisionerName,
    TextOrJson,
    Timeout,
    environment_names,
    seconds,
)

if TYPE_CHECKING:
    from devloop.loop import Request


def up(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    provisioner: Provisioner = ProvisionerName.AUTO,
    recreate: Annotated[bool, typer.Option("--recreate", help="Make the cluster anew, whatever there is.")] = False,
    key_file: KeyFile = None,
    timeout: Timeout = None,
    no_validate: Annotated[bool, typer.Option("--no-validate", help="Apply it whatever validation finds.")] = False,
    allow_remote: AllowRemote = False,
    output: OutputOption = Output.TEXT,
    output_file: OutputFile = None,
) -> None:
    """Reconcile the working tree until it is healthy.

    Creates the cluster where there is none and continues one that an earlier run left. Uncommitted changes count. Errors that validation
    finds end the run before anything is created.
    """
    from devloop import loop

    with open_console(output, context, output_file) as console:
        wanted = {"provisioner": provisioner, "recreate": recreate, "validate": not no_validate, "allow_remote": allow_remote}
        request = _request(context, environment, definition, key_file=key_file, timeout=seconds(timeout), **wanted)
        show(console, loop.up(request, console.emit))


def status(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    provisioner: Provisioner = ProvisionerName.AUTO,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C.")] = False,
    output: OutputOption = Output.TEXT,
    output_file: OutputFile = None,
) -> None:
    """Show what runs and how far Flux has come.

    Each Kustomization below the one that it waits for, with what Flux and the workloads say. Changes nothing.
    """
    from devloop import loop

    with open_console(output, context, output_file) as console:
        request = _request(context, environment, definition, provisioner=provisioner)
        show(console, loop.status(request, console.emit, follow=watch))


def down(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    provisioner: Provisioner = ProvisionerName.AUTO,
    output: OutputOption = Output.TEXT,
    output_file: OutputFile = None,
) -> None:
    """Remove everything of the environment.

    Processes, data and the kubeconfig entry; nothing to remove is fine.
    """
    from devloop import loop

    with open_console(output, context, output_file) as console:
        show(console, loop.down(_request(context, environment, definition, provisioner=provisioner), console.emit))


def doctor(
    context: typer.Context,
    environment: Annotated[
        str,
        typer.Argument(
            metavar="ENV", help="Also what this environment needs.", show_default="the machine alone", autocompletion=environment_names
        ),
    ] = "",
    definition: Definition = None,
    provisioner: Provisioner = ProvisionerName.AUTO,
    key_file: KeyFile = None,
    output: Annotated[
        TextOrJson, typer.Option("--output", "-o", help="json prints the report alone to standard output.")
    ] = TextOrJson.TEXT,
) -> None:
    """Check what this machine lacks.

    Engine, programs, limits, disk and clock; for ENV also its definition, ports and keys. Changes nothing.
    """
    from devloop import loop

    with open_console(Output(output), context) as console:
        place: Place = context.obj
        report = loop.doctor(lambda: place.root, environment, definition=definition, provisioner=provisioner, key_file=key_file)
        show(console, report)


def _request(context: typer.Context, environment: str, definition: Path | None, **more: Any) -> Request:
    from devloop.loop import Request

    return Request(context.obj.root, environment, definition, **more)
