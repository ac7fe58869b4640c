"""`devloop validate`: parses the arguments."""

from typing import Annotated

import typer

from devloop.cli.options import SEVERITIES, AllowRemote, EntryPath, Environments, KeyFile, OutputFile, OutputOption, one_of, rule_names
from devloop.output import TEXT


def validate(
    context: typer.Context,
    environment: Environments = None,
    severity: Annotated[str, typer.Option("--severity", help="Hide less severe findings.", **one_of(SEVERITIES))] = SEVERITIES[-1],
    rule: Annotated[
        list[str] | None,
        typer.Option(
            "--rule", metavar="PATTERN", help="Only this rule, family or glob; repeatable.", show_default="all", autocompletion=rule_names
        ),
    ] = None,
    changed_since: Annotated[
        str, typer.Option("--changed-since", metavar="REV", help="Only findings affected by changes since REV.", show_default=False)
    ] = "",
    explain: Annotated[
        str,
        typer.Option(
            "--explain", metavar="RULE", help="Explain a rule and how to fix its findings.", show_default=False, autocompletion=rule_names
        ),
    ] = "",
    allow_remote: AllowRemote = False,
    path: EntryPath = None,
    key_file: KeyFile = None,
    output: OutputOption = TEXT,
    output_file: OutputFile = None,
) -> None:
    """Builds every Kustomization of every environment like Flux and checks the result against the rules. See docs/validation.md."""
    from devloop.cli.boundary import open_console, show

    if explain:
        with open_console() as console:
            from devloop.lint import explanation

            console.explain(explanation.explain(explain))
        return
    with open_console(output, context, output_file) as console:
        from devloop.commands.validate import Request
        from devloop.commands.validate import validate as run
        from devloop.diagnostic import Severity

        selection = (Severity(severity), tuple(rule or ()), changed_since)
        request = Request(context.obj.repository, tuple(environment or ()), key_file, *selection, allow_remote, path)
        show(console, run(request, console.emit))
