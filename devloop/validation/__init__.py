"""The whole repository against the rules: every environment's graph, every rule, one report. The seam for more rules is RULES."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

from devloop.clients.worker import Worker
from devloop.model.report import Finding, Report, Severity
from devloop.model.subject import Inspected, Subject
from devloop.repository.changes import changed_files
from devloop.repository.files import read_files
from devloop.repository.graph import survey
from devloop.repository.judging import judge
from devloop.repository.schemas import prepare_schemas
from devloop.repository.settings import load_settings
from devloop.rules import RULES
from devloop.validation.account import outcome, readiness
from devloop.validation.findings import find
from devloop.validation.reach import reach
from devloop.validation.repository import Repository
from devloop.validation.selection import Selection, chosen

if TYPE_CHECKING:
    from devloop.clients.fetching import Fetcher

# Rules whose breach no controller ever reports as a failure.
SILENT = ("graph/dependency-cycle", "graph/dependency-missing")


def validate(
    repository: Repository,
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
    reached = None if changed is None else reach(subject, changed)
    findings = (f for f in find(subject, worker, RULES) if selection.has(f) and (reached is None or reached.has(f)))
    return account(subject, tuple(findings))


def inspect(repository: Repository, worker: Worker, surveyed: Sequence[Inspected] = (), fetcher: Fetcher | None = None) -> Subject:
    """Everything that rules look at; environments and files are read side by side, those already `surveyed` not again."""
    prepare_schemas(repository.environments, worker)
    known = {inspected.environment.name: inspected.graph for inspected in surveyed}
    with ThreadPoolExecutor(max_workers=len(repository.environments) + 1) as pool:
        files = pool.submit(read_files, repository.root)
        remotes = repository.remotes
        graphs = pool.map(lambda e: known.get(e.name) or survey(e, worker, remotes=remotes, fetcher=fetcher), repository.environments)
        inspected = tuple(map(Inspected, repository.environments, graphs))
        judgements = judge(inspected, worker, repository.settings, files.result())
        return Subject(inspected, files.result(), repository.settings, judgements, repository.problems, date.today(), repository.whole)


def account(subject: Subject, findings: tuple[Finding, ...]) -> Report:
    """What was found, and what was looked at."""
    return Report(
        "validate",
        ", ".join(inspected.environment.name for inspected in subject.environments),
        steps=tuple(outcome(inspected.graph) for inspected in subject.environments),
        kustomizations=tuple(readiness(unit.inspected.environment.name, unit.node) for unit in subject.units),
        findings=findings,
    )


def hopeless(inspected: Inspected, worker: Worker) -> tuple[Finding, ...]:
    """What keeps Flux waiting for ever, without a word: better told before anything is created."""
    return find(Subject((inspected,)), worker, {rule: RULES[rule] for rule in SILENT})


def objections(inspected: Inspected, worker: Worker) -> tuple[Finding, ...]:
    """Errors and warnings about one environment, those of files that it is built from included.

    Raises InputError for a devloop.yaml that cannot be used.
    """
    environment = inspected.environment
    repository = Repository(environment.root, (environment,), load_settings(environment.root, tuple(RULES)), whole=False)
    found = find(inspect(repository, worker, (inspected,)), worker, RULES)
    about = [finding for finding in found if finding.severity is not Severity.INFO and _concerns(finding, inspected)]
    return tuple(dict.fromkeys([*about, *hopeless(inspected, worker)]))


def _concerns(finding: Finding, inspected: Inspected) -> bool:
    return bool(finding.scopes) or any(path in node.files for node in inspected.graph for path in finding.paths)
