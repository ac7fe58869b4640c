"""`devloop validate`: arguments to a request, and what a rule is for."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from devloop.cli.options import (
    SEVERITIES,
    AllowRemote,
    Environments,
    KeyFile,
    OutputFile,
    OutputOption,
    one_of,
    rule_names,
)
from devloop.output import TEXT


def validate(
    context: typer.Context,
    environment: Environments = None,
    severity: Annotated[str, typer.Option("--severity", help="Leave out what is milder.", **one_of(SEVERITIES))] = SEVERITIES[-1],
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
    output: OutputOption = TEXT,
    output_file: OutputFile = None,
) -> None:
    """Builds every Kustomization of every environment as Flux would and holds the result against the rules. See docs/validation.md."""
    if explain:
        _explain(explain)
    from devloop.cli.boundary import open_console, show

    with open_console(output, context, output_file) as console:
        from devloop.commands.validate import Request
        from devloop.commands.validate import validate as run
        from devloop.diagnostic import Severity

        asked = (Severity(severity), tuple(rule or ()), changed_since)
        request = Request(context.obj.repository, tuple(environment or ()), key_file, *asked, allow_remote)
        show(console, run(request, console.emit))


def _explain(rule: str) -> NoReturn:
    from devloop.cli.boundary import open_console

    with open_console() as console:
        from devloop.lint.explanation import explain

        console.explain(explain(rule))
    raise typer.Exit
