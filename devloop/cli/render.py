"""`devloop render`: parses the arguments."""

from typing import Annotated

import typer

from devloop.cli.options import AllowRemote, Definition, EntryPath, Environment, KeyFile


def render(
    context: typer.Context,
    environment: Environment,
    kustomization: Annotated[str, typer.Option("--kustomization", "-k", metavar="NS/NAME", help="Only this one.", show_default="all")] = "",
    diff: Annotated[
        str, typer.Option("--diff", metavar="REV", help="What changed between REV and the working tree.", show_default=False)
    ] = "",
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Do not mask the values of Secrets.")] = False,
    origins: Annotated[bool, typer.Option("--origins", help="Show the source file of each object.")] = False,
    allow_remote: AllowRemote = False,
    definition: Definition = None,
    path: EntryPath = None,
    key_file: KeyFile = None,
) -> None:
    """Builds, decrypts and substitutes variables. Masks the values of Secrets."""
    from devloop.cli.boundary import open_console

    with open_console("yaml", context, reports=False) as console:
        from devloop.commands.render import Request, compare
        from devloop.commands.render import render as run
        from devloop.errors import ExitCode

        options = (kustomization, show_secrets, origins, key_file, definition, allow_remote, path)
        request = Request(context.obj.repository, environment, *options)
        rendered = compare(request, diff, console.emit) if diff else run(request, console.emit)
        console.__exit__()
        console.difference(rendered.text) if diff else console.manifests(rendered.text)
        raise typer.Exit(ExitCode.OK if diff or rendered.complete else ExitCode.UNHEALTHY)
