"""Commands about a repository, without a cluster: validate, render, init."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from devloop.cli.boundary import open_console, show
from devloop.cli.options import (
    AllowRemote,
    AtLeast,
    Definition,
    Environment,
    Environments,
    KeyFile,
    Output,
    OutputFile,
    OutputOption,
    rule_names,
)


def validate(
    context: typer.Context,
    environment: Environments = None,
    severity: Annotated[AtLeast, typer.Option("--severity", help="Leave out what is milder.")] = AtLeast.INFO,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            "--rule",
            metavar="PATTERN",
            help="Only this rule, family or glob; may be repeated.",
            show_default="all",
            autocompletion=rule_names,
        ),
    ] = None,
    changed_since: Annotated[
        str, typer.Option("--changed-since", metavar="REV", help="Only what the change since REV reaches.", show_default=False)
    ] = "",
    explain: Annotated[
        str,
        typer.Option(
            "--explain",
            metavar="RULE",
            help="Why the rule is there, what to do.",
            show_default=False,
            autocompletion=rule_names,
        ),
    ] = "",
    allow_remote: AllowRemote = False,
    key_file: KeyFile = None,
    output: OutputOption = Output.TEXT,
    output_file: OutputFile = None,
) -> None:
    """Check the whole repository without a cluster.

    Builds every Kustomization of every environment as Flux would and holds the result against the rules. See docs/validation.md.
    """
    if explain:
        _explain(explain)
    with open_console(output, context, output_file) as console:
        from devloop import offline
        from devloop.model.report import Severity

        asked = (Severity(severity.value), tuple(rule or ()), changed_since)
        question = offline.Question(context.obj.repository, tuple(environment or ()), key_file, *asked, allow_remote)
        show(console, offline.validate(question, console.emit))


def _explain(rule: str) -> NoReturn:
    with open_console() as console:
        from devloop.validation.explanation import explain

        console.explain(explain(rule))
    raise typer.Exit


def render(
    context: typer.Context,
    environment: Environment,
    kustomization: Annotated[
        str, typer.Option("--kustomization", "-k", metavar="NS/NAME", help="Only this one.", show_default="all of them")
    ] = "",
    diff: Annotated[
        str, typer.Option("--diff", metavar="REV", help="What changed between REV and the working tree.", show_default=False)
    ] = "",
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Do not mask the values of Secrets.")] = False,
    origins: Annotated[bool, typer.Option("--origins", help="Name the file that each object comes from.")] = False,
    allow_remote: AllowRemote = False,
    definition: Definition = None,
    key_file: KeyFile = None,
) -> None:
    """Print the manifests that Flux would apply.

    Built, decrypted and with variables in place; the values of Secrets are masked.
    """
    with open_console(Output.JSON) as console:
        from devloop import rendering

        chosen = (kustomization, show_secrets, origins, key_file, definition, allow_remote)
        wanted = rendering.Wanted(context.obj.repository, environment, *chosen)
        rendered = rendering.compare(wanted, diff, console.emit) if diff else rendering.render(wanted, console.emit)
        console.__exit__()
        console.difference(rendered.text) if diff else console.manifests(rendered.text)
        raise typer.Exit(0 if diff or rendered.complete else 1)


def init(directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty directory.", show_default=False)]) -> None:
    """Scaffold a sample platform.

    Three environments, two distributions, freshly encrypted secrets; the Age keys are made outside of DIR.
    """
    from devloop import loop

    with open_console() as console:
        for line in loop.init(directory, console.emit):
            console.line(line)
