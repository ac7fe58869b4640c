"""The commands that need no cluster: validate, explain, render. Nothing here prints or parses arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from devloop.clients.worker import ended_by_signals
from devloop.model.report import Emit, Report
from devloop.repository.frames import framed
from devloop.repository.keys import identities
from devloop.repository.render import open_worker
from devloop.validation import validate as check
from devloop.validation.repository import load_repository
from devloop.validation.selection import Selection


@dataclass(frozen=True)
class Question:
    """The repository at `root`, `environments` of it (all when empty), and where to look for keys first."""

    root: Path
    environments: tuple[str, ...] = ()
    key_file: Path | None = None


def validate(question: Question, selection: Selection, emit: Emit) -> Report:
    """Check the environments; the findings that `selection` asks for, each with its lines."""
    repository = load_repository(question.root, question.environments)

    def keys() -> str:
        return "".join(identities(environment, question.key_file).text for environment in repository.environments)

    with open_worker(question.root, keys, emit) as worker, ended_by_signals(worker):
        report = check(repository, worker, selection)
    return replace(report, findings=framed(question.root, report.findings))
