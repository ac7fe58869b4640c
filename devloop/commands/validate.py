"""`devloop validate`: from a question to a report. Nothing here prints or parses arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.clients.worker import ended_by_signals
from devloop.diagnostic import Severity
from devloop.model.report import Emit, Report
from devloop.repository.render import open_fetcher, open_worker
from devloop.toolchain import Toolchain

if TYPE_CHECKING:
    from devloop.lint.scope import LintScope


@dataclass(frozen=True)
class Request:
    """The repository at `root`, `environments` of it (all when empty), where to look for keys first, and which findings to tell.

    `allow_remote` says that remote bases may be fetched.
    """

    root: Path
    environments: tuple[str, ...] = ()
    key_file: Path | None = None
    severity: Severity = Severity.INFO
    rules: tuple[str, ...] = ()
    since: str = ""
    allow_remote: bool = False


def validate(question: Request, emit: Emit) -> Report:
    """Check the environments; the findings that are asked for, each with its lines."""

    @cache
    def repository() -> LintScope:
        from devloop.lint.scope import load_scope

        return load_scope(question.root, question.environments)

    def keys() -> str:
        from devloop.repository.age_keys import identities

        return "".join(identities(environment, question.key_file).text for environment in repository().environments)

    # What is no environment is told before minutes of building; else the worker loads while the repository and the rules do.
    if Toolchain().missing(("worker",)):
        repository()
    with (
        open_fetcher(allowed=question.allow_remote) as fetcher,
        open_worker(question.root, keys, emit) as worker,
        ended_by_signals(worker, fetcher),
    ):
        from devloop.lint.run import validate as check
        from devloop.lint.selection import Selection
        from devloop.lint.snippets import add_snippets

        report = check(repository(), worker, Selection(question.severity, question.rules, question.since), fetcher)
        worker.let_go()
        return replace(report, findings=add_snippets(question.root, report.findings))
