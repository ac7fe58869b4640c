"""`devloop validate`: checks environments and reports the findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.clients.worker import ended_by_signals
from devloop.diagnostic import Severity
from devloop.lint.redaction import Redaction
from devloop.model.report import Emit, Report
from devloop.repository.builds import open_worker
from devloop.repository.remote_bases import open_fetcher
from devloop.toolchain import Toolchain

if TYPE_CHECKING:
    from devloop.lint.scope import LintScope


@dataclass(frozen=True)
class Request:
    """`environments` of the repository at `root` (empty: all); `severity`, `rules` and `since` select the findings to report.

    `path` is the one folder to enter, in place of what the repository says.
    """

    root: Path
    environments: tuple[str, ...] = ()
    key_file: Path | None = None
    severity: Severity = Severity.INFO
    rules: tuple[str, ...] = ()
    since: str = ""
    allow_remote: bool = False
    path: Path | None = None


def validate(request: Request, emit: Emit) -> Report:
    """The selected findings, each with its snippet."""

    @cache
    def repository() -> LintScope:
        from devloop.lint.scope import load_scope

        return load_scope(request.root, request.environments, request.path)

    def keys() -> str:
        from devloop.repository.age_keys import identities

        return "".join(identities(environment, request.key_file).text for environment in repository().environments)

    # Report a wrong name before building the worker takes minutes; otherwise, the worker starts while the rest loads.
    if Toolchain().missing(("worker",)):
        repository()
    with (
        open_fetcher(allowed=request.allow_remote) as fetcher,
        open_worker(request.root, keys, emit) as worker,
        ended_by_signals(worker, fetcher),
    ):
        from devloop.lint.run import validate as check
        from devloop.lint.selection import Selection
        from devloop.lint.snippets import add_snippets

        report = check(repository(), worker, Selection(request.severity, request.rules, request.since), fetcher)
        findings = Redaction(worker).findings(add_snippets(request.root, report.findings))
        worker.let_go()
        return replace(report, findings=findings)
