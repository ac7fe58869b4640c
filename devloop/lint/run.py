"""The whole repository against the rules: every environment's graph, every rule, one report. The seam for more rules is RULES."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

from devloop.clients.worker import Worker
from devloop.lint.checks import run_checks
from devloop.lint.diagnostics import to_diagnostics
from devloop.lint.impact import impact
from devloop.lint.rules import RULES
from devloop.lint.schemas import prepare_schemas
from devloop.lint.scope import LintScope
from devloop.lint.selection import Selection, chosen
from devloop.lint.summary import environment_outcome, readiness
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.model.report import Finding, Report, Severity
from devloop.repository.changed_files import changed_files
from devloop.repository.file_index import index_files
from devloop.repository.graph import build_graph
from devloop.repository.settings import load_settings

if TYPE_CHECKING:
    from devloop.clients.remote_fetch import Fetcher

# Rules whose breach no controller ever reports as a failure.
SILENT = ("graph/dependency-cycle", "graph/dependency-missing")


def validate(
    repository: LintScope,
    worker: Worker,
    selection: Selection = Selection(),  # noqa: B008 (frozen)
    fetcher: Fetcher | None = None,
) -> Report:
    """Check the environments of a repository and tell what `selection` asks for; what is remote is left out, or got by `fetcher`.

    The same repository gives the same report, to the byte: nothing in it comes from a clock or from the order in which builds end,
    save that exemptions have a last day. Raises InputError for a rule or a revision that does not exist.
    """
    chosen(selection.rules)
    changed = changed_files(repository.root, selection.since) if selection.since else None
    subject = inspect(repository, worker, fetcher=fetcher)
    reached = None if changed is None else impact(subject, changed)
    findings = (f for f in to_diagnostics(subject, worker, RULES) if selection.has(f) and (reached is None or reached.has(f)))
    return account(subject, tuple(findings))


def inspect(
    repository: LintScope, worker: Worker, surveyed: Sequence[EnvironmentGraph] = (), fetcher: Fetcher | None = None
) -> LintContext:
    """Everything that rules look at; environments and files are read side by side, those already `surveyed` not again."""
    prepare_schemas(repository.environments, worker)
    known = {inspected.environment.name: inspected.graph for inspected in surveyed}
    with ThreadPoolExecutor(max_workers=len(repository.environments) + 1) as pool:
        files = pool.submit(index_files, repository.root)
        remotes = repository.remotes
        graphs = pool.map(lambda e: known.get(e.name) or build_graph(e, worker, remotes=remotes, fetcher=fetcher), repository.environments)
        inspected = tuple(map(EnvironmentGraph, repository.environments, graphs))
        judgements = run_checks(inspected, worker, repository.settings, files.result())
        return LintContext(inspected, files.result(), repository.settings, judgements, repository.problems, date.today(), repository.whole)


def account(subject: LintContext, findings: tuple[Finding, ...]) -> Report:
    """What was found, and what was looked at."""
    return Report(
        "validate",
        ", ".join(inspected.environment.name for inspected in subject.environments),
        steps=tuple(environment_outcome(inspected.graph) for inspected in subject.environments),
        kustomizations=tuple(readiness(unit.inspected.environment.name, unit.node) for unit in subject.units),
        findings=findings,
    )


def blocking_errors(inspected: EnvironmentGraph, worker: Worker) -> tuple[Finding, ...]:
    """What keeps Flux waiting for ever, without a word: better told before anything is created."""
    return to_diagnostics(LintContext((inspected,)), worker, {rule: RULES[rule] for rule in SILENT})


def preflight(inspected: EnvironmentGraph, worker: Worker) -> tuple[Finding, ...]:
    """Errors and warnings about one environment, those of files that it is built from included.

    Raises InputError for a devloop.yaml that cannot be used.
    """
    environment = inspected.environment
    repository = LintScope(environment.root, (environment,), load_settings(environment.root, tuple(RULES)), whole=False)
    found = to_diagnostics(inspect(repository, worker, (inspected,)), worker, RULES)
    about = [finding for finding in found if finding.severity is not Severity.INFO and _concerns(finding, inspected)]
    return tuple(dict.fromkeys([*about, *blocking_errors(inspected, worker)]))


def _concerns(finding: Finding, inspected: EnvironmentGraph) -> bool:
    return bool(finding.scopes) or any(path in node.files for node in inspected.graph for path in finding.paths)
