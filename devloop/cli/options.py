"""Arguments and options that commands share, with shell completion."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from devloop import output as formats
from devloop.model.commands import Target
from devloop.provisioners import AUTO, PROVISIONERS

# As in devloop.diagnostic; help text needs no more than the names.
SEVERITIES = ("error", "warning", "info")


def rule_names(incomplete: str) -> list[str]:
    """Completes rules and families."""
    from devloop.lint.rules import RULES

    names = [*RULES, *(f"{family}/*" for family in dict.fromkeys(name.partition("/")[0] for name in RULES))]
    return [name for name in names if name.startswith(incomplete)]


def environment_names(context: typer.Context, incomplete: str) -> list[str]:
    """Completes environments."""
    from devloop.cli import RepositoryOption
    from devloop.errors import DevloopError
    from devloop.repository.entry_points import names

    directory = (context.parent or context).params.get("directory")
    with contextlib.suppress(DevloopError, OSError):
        return [name for name in names(RepositoryOption(directory and Path(directory)).repository) if name.startswith(incomplete)]
    return []


def existing_names(context: typer.Context, incomplete: str) -> list[str]:
    """Completes environments of the repository, and clusters that exist on this machine."""
    from devloop.provisioners import PROVISIONERS
    from devloop.provisioners.found import records

    clusters = {record.cluster for name in PROVISIONERS for record in records(name) if record.cluster.startswith(incomplete)}
    return sorted({*environment_names(context, incomplete), *clusters})


def one_of(names: Sequence[str]) -> Mapping[str, Any]:
    """Help, completion and check of an option that takes one of `names`."""

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
    typer.Option("--definition", metavar="FILE", help="KSail definition to use instead of searching for ENV's.", show_default=False),
]
ExistingName = Annotated[
    str,
    typer.Argument(metavar="[NAME]", help="The environment's name or its cluster's.", show_default=False, autocompletion=existing_names),
]
Every = Annotated[bool, typer.Option("--all", help="Every environment of this user.")]
EntryPath = Annotated[
    Path | None,
    typer.Option("--path", metavar="DIR", help="Folder that Flux enters, instead of the environment's own.", show_default=False),
]
OutputOption = Annotated[str, _output(Target.CLUSTER, "Formats other than text print only the report to standard output.")]
MachineOutput = Annotated[str, _output(Target.MACHINE, "json prints only the report to standard output.")]
OutputFile = Annotated[
    Path | None,
    typer.Option("--output-file", metavar="FILE", help="Write the report to FILE and text to the terminal.", show_default=False),
]
Events = Annotated[
    str,
    typer.Option(
        "--events", metavar="FILE|-", help="Write events as JSON lines to FILE, or with - to standard output.", show_default=False
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--age-key-file", metavar="FILE", help="File of age identities; takes precedence over other sources.", show_default=False),
]
AllowRemote = Annotated[bool, typer.Option("--allow-remote", help="Fetch remote bases; otherwise they are not checked.")]
Whole = Annotated[
    bool,
    typer.Option("--whole", help="Reconcile every Kustomization, as in production, not only those that the edit affects."),
]
AllowBuild = Annotated[bool, typer.Option("--allow-build", help="Allow the build commands of devloop.yaml without asking.")]
Provisioner = Annotated[
    str,
    typer.Option(
        "--provisioner",
        envvar="DEVLOOP_PROVISIONER",
        **one_of((AUTO, *PROVISIONERS)),
        help="auto: the environment's current one, else kind if a container engine runs, else embedded (Linux only).",
    ),
]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="DURATION", help="How long to wait for readiness, e.g. 90s or 10m.", show_default="the definition's"),
]


def one_or_all(command: str, environment: str, *, everything: bool) -> None:
    """Raises InputError unless the user named an environment or passed --all."""
    from devloop.errors import InputError
    from devloop.hint import DevloopCommand

    if bool(environment) == everything:
        raise InputError(f"{command} needs either a NAME or --all", hint=DevloopCommand("env", options=("list", "--running")))


def seconds(text: str | None) -> float | None:
    """Seconds of a Go duration (90s, 10m, 1h30m) or a plain number."""
    from devloop.model.kubernetes.duration import parse_duration

    return None if text is None else parse_duration(text, "--timeout")
