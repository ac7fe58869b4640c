"""What `down` and `stop` share: a plan for every existing environment that a name means, or for all of this user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from devloop.commands.request import Request, locked, open_session
from devloop.commands.targets import Target, of_definition, of_machine, of_provisioner, of_repository
from devloop.diagnostic import Severity
from devloop.errors import DevloopError, ExitCode, InputError
from devloop.hint import DevloopCommand
from devloop.model.messages import join_words
from devloop.model.report import Emit, Notice, Outcome, Report, Status, StepFinished
from devloop.plan import Plan
from devloop.provisioners import refuse_elsewhere
from devloop.provisioners.discovery import discover
from devloop.provisioners.found import FoundEnvironment
from devloop.repository.entry_points import load
from devloop.runner import Result, recorded, run


@dataclass(frozen=True)
class Action:
    """`title` is that of the command's step, `plan` takes it and the subject; `nothing` is the message without environments."""

    command: str
    title: str
    nothing: str
    plan: Callable[[str, str], Plan]


def run_on(request: Request, root: Path | None, emit: Emit, action: Action) -> Report:
    """On the environment `request.environment`; `root` is the repository, None outside of one (then `request.root` is unused)."""
    refuse_elsewhere(request.provisioner)
    found = of_provisioner(discover().environments, request.provisioner)
    return _run(request, _targets(request, root, found, emit, action.command), emit, action)


def run_on_all(request: Request, emit: Emit, action: Action) -> Report:
    """On every environment of this user; goes on after a failure."""
    refuse_elsewhere(request.provisioner)
    found, note = discover()
    if note:
        emit(Notice(note))
    for other in (each for each in of_provisioner(found, request.provisioner) if not each.ours):
        message = f"{other.cluster} of {other.root} is left alone: it is not in this user's state folder"
        emit(Notice(message, hint=DevloopCommand(action.command, other.cluster)))
    ours = [each for each in of_provisioner(found, request.provisioner) if each.ours]
    return replace(_run(request, [Target.of(each) for each in ours], emit, action), provisioner="")


def _targets(request: Request, root: Path | None, found: Sequence[FoundEnvironment], emit: Emit, command: str) -> tuple[Target, ...]:
    if root is None:
        if targets := of_machine(request.environment, None, found, command):
            return targets
        names = join_words([each.cluster for each in found]) or "none"
        message = f"there is no environment {request.environment} on this machine; there is {names}"
        raise InputError(message, hint=DevloopCommand("env", options=("list", "--running")))
    try:
        environment = load(root, request.environment, request.definition, request.path)
    except InputError as error:
        targets = of_repository(request.environment, root.resolve(), found)
        if not targets and not error.problems and not request.definition:
            targets = of_machine(request.environment, root, found, command)
        if not targets:
            raise
        emit(Notice(f"{request.environment} is found by its record: {error.message}", Severity.WARNING))
        return targets
    return of_definition(environment, request.provisioner, found)


def _run(request: Request, targets: Sequence[Target], emit: Emit, action: Action) -> Report:
    result = Result()
    for target in targets:
        title = action.title if len(targets) == 1 else f"{action.title} {target.key[0]} ({target.provisioner})"
        part = _run_one(request, target, title, emit, action)
        result.outcomes += part.outcomes
        result.failure = max(result.failure, part.failure)
        if part.failure == ExitCode.INTERRUPTED:
            break
    if not targets:
        recorded(result, emit)(StepFinished(Outcome(Status.UNCHANGED, action.nothing, title=action.title)))
    used = targets[-1].provisioner if targets else ""
    return Report(action.command, request.environment, used, "", tuple(result.outcomes), failure=result.failure)


def _run_one(request: Request, target: Target, title: str, emit: Emit, action: Action) -> Result:
    result = Result()
    record = recorded(result, emit)
    try:
        with open_session(request, target.environment, record, target.provisioner) as session, locked(session):
            run(action.plan(title, target.subject), session, result)
    except DevloopError as error:
        record(StepFinished(Outcome(Status.FAILED, error.message, error.hint, title=title)))
    return result
