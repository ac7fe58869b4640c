"""The table of commands, for the command line, reports, output formats and hints.

The function NAME of `devloop.cli.NAME` parses the arguments and calls `devloop.commands.NAME`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Target(StrEnum):
    """The subject of a command, which decides what its report has and whether it is ok."""

    CLUSTER = "cluster"  # steps and the readiness of Kustomizations
    REPOSITORY = "repository"  # findings
    MACHINE = "machine"  # checks


class Verdict(NamedTuple):
    """The result in one line ({0} is the environment), and suggested commands by purpose."""

    text: str
    following: Mapping[str, str] = {}


class Command(NamedTuple):
    """`target` is None for a command without a repository; `environment`: takes one, or with `every` also --all; `creates`: may
    create it; `reconciles`: makes Flux reconcile the working tree; `timed`: text shows where the time went."""

    name: str
    summary: str
    target: Target | None = None
    environment: bool = False
    every: bool = False
    creates: bool = False
    reconciles: bool = False
    timed: bool = False
    ok: Verdict = Verdict("done")
    failed: Verdict = Verdict("failed")


def _by_name(*commands: Command) -> Mapping[str, Command]:
    return {command.name: command for command in commands}


# In the order of `devloop --help`.
COMMANDS = _by_name(
    Command(
        "up",
        "Reconcile the working tree until it is healthy.",
        Target.CLUSTER,
        environment=True,
        creates=True,
        reconciles=True,
        ok=Verdict("{0} is healthy", {"after an edit": "sync", "to remove it": "down"}),
        failed=Verdict("{0} is not healthy", {"after a fix": "up", "to check again": "status"}),
    ),
    Command(
        "sync",
        "Reconcile an edit in an environment that is up.",
        Target.CLUSTER,
        environment=True,
        reconciles=True,
        timed=True,
        ok=Verdict("{0} is healthy"),
        failed=Verdict("{0} is not healthy", {"after a fix": "sync", "to check again": "status"}),
    ),
    Command(
        "watch",
        "Reconcile every edit until you quit.",
        Target.CLUSTER,
        environment=True,
        reconciles=True,
        ok=Verdict("{0} was healthy, and keeps running", {"to remove it": "down"}),
        failed=Verdict("{0} was not healthy, and keeps running", {"to check again": "status"}),
    ),
    Command(
        "status",
        "Show what is running and what Flux has reconciled.",
        Target.CLUSTER,
        environment=True,
        ok=Verdict("{0} is healthy"),
        failed=Verdict("{0} is not healthy"),
    ),
    Command(
        "stop",
        "Stop an environment, or all, and keep the data.",
        Target.CLUSTER,
        environment=True,
        every=True,
        ok=Verdict("{0} is stopped", {"to continue": "up", "to remove it": "down"}),
        failed=Verdict("{0} is not stopped"),
    ),
    Command(
        "down",
        "Remove an environment, or all.",
        Target.CLUSTER,
        environment=True,
        every=True,
        ok=Verdict("{0} is removed"),
        failed=Verdict("parts of {0} may remain", {"again": "down"}),
    ),
    Command(
        "validate",
        "Check the whole repository without a cluster.",
        Target.REPOSITORY,
        ok=Verdict("the repository is valid"),
        failed=Verdict("the repository has errors"),
    ),
    Command("render", "Print the manifests that Flux would apply.", Target.REPOSITORY, environment=True),
    Command("doctor", "Check that this machine is ready.", Target.MACHINE, environment=True, creates=True),
    Command("env", "List the environments of the repository."),
    Command("init", "Scaffold a sample platform."),
    Command("toolchain", "List or install the pinned programs."),
)
