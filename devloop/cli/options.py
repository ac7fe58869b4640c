"""Arguments and options that several commands share, and how their values complete in a shell."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from devloop import output as formats
from devloop.model.commands import Target
from devloop.provisioners import AUTO, PROVISIONERS

# As in devloop.model.report, which takes longer to import than the help may.
SEVERITIES = ("error", "warning", "info")


def rule_names(incomplete: str) -> list[str]:
    """Rules and families that begin like this, for the shell."""
    from devloop.lint.rules import RULES

    names = [*RULES, *(f"{family}/*" for family in dict.fromkeys(name.partition("/")[0] for name in RULES))]
    return [name for name in names if name.startswith(incomplete)]


def environment_names(context: typer.Context, incomplete: str) -> list[str]:
    """Environments that begin like this, for the shell."""
    from devloop.cli.place import Place
    from devloop.errors import DevloopError
    from devloop.repository.entry_points import names

    root = (context.parent or context).params.get("directory")
    with contextlib.suppress(DevloopError, OSError):
        return [name for name in names(Place(root).repository) if name.startswith(incomplete)]
    return []


def one_of(names: Sequence[str]) -> Mapping[str, Any]:
    """For an option that takes one of `names`: how the help shows, how the shell completes and how the parser checks them."""

    def check(value: str) -> str:
        if value not in names:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(map(repr, names))}.")
        return value

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return {"metavar": f"<{'|'.join(names)}>", "callback": check, "autocompletion": complete}


def _output(target: Target, purpose: str) -> Any:
    return typer.Option("--output", "-o", help=purpose, **one_of(formats.names(target)))


Environment = Annotated[
    str, typer.Argument(metavar="ENV", help="Name of the environment, e.g. local.", show_default=False, autocompletion=environment_names)
]
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--environment", "-e", metavar="ENV", help="Only this one; may be repeated.", show_default="all", autocompletion=environment_names
    ),
]
Definition = Annotated[
    Path | None,
    typer.Option("--definition", metavar="FILE", help="The KSail definition to use, instead of looking for ENV's.", show_default=False),
]
OutputOption = Annotated[str, _output(Target.CLUSTER, "All but text print the report alone to standard output.")]
DoctorOutput = Annotated[str, _output(Target.MACHINE, "json prints the report alone to standard output.")]
OutputFile = Annotated[
    Path | None,
    typer.Option("--output-file", metavar="FILE", help="Write the report to FILE, text to the terminal.", show_default=False),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--age-key-file", metavar="FILE", help="Age identities to decrypt with, before all other places.", show_default=False),
]
AllowRemote = Annotated[
    bool, typer.Option("--allow-remote", help="Fetch remote bases from where kustomization files say; else they are not checked.")
]
Provisioner = Annotated[
    str,
    typer.Option(
        "--provisioner",
        envvar="DEVLOOP_PROVISIONER",
        **one_of((AUTO, *PROVISIONERS)),
        help="auto: what the environment runs with, else kind where an engine answers, else embedded.",
    ),
]
Timeout = Annotated[
    str | None,
    typer.Option(
        "--timeout", metavar="DURATION", help="How long to wait until all is ready, e.g. 90s or 10m.", show_default="the definition's"
    ),
]


def seconds(text: str | None) -> float | None:
    """Seconds of a duration as Go writes it (90s, 10m, 1h30m) or a plain number; raises InputError."""
    from devloop.model.kubernetes.duration import parse_duration

    return None if text is None else parse_duration(text, "--timeout")
