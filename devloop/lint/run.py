"""The pipeline of `validate` and of the preflight of `up`: context, rules, diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.checks import run_checks
from devloop.lint.diagnostics import apply_rules
from devloop.lint.impact import impact
from devloop.lint.rules import RULES
from devloop.lint.schemas import prepare_schemas
from devloop.lint.scope import LintScope
from devloop.lint.selection import Selection, matching_rules
from devloop.lint.summary import summarise
from devloop.model.cluster.environment import Environment
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.model.lint.settings import Settings
from devloop.model.report import Report
from devloop.repository.file_index import index_files
from devloop.repository.graph import build_graph
from devloop.repository.revisions import changed_files
from devloop.repository.settings import load_settings

if TYPE_CHECKING:
    from devloop.clients.remote_fetch import Fetcher

# Rules for errors that no controller reports.
SILENT = ("graph/dependency-cycle", "graph/dependency-missing")


def validate(
    scope: LintScope,
    worker: Worker,
    selection: Selection = Selection(),  # noqa: B008 (frozen)
    fetcher: Fetcher | None = None,
) -> Report:
    """The selected findings of a repository; remote bases are skipped without a `fetcher`.

    Deterministic except for the expiry of exemptions. Raises InputError for a rule or a revision that does not exist.
    """
    matching_rules(selection.rules)
    changed = changed_files(scope.root, selection.since) if selection.since else None
    context = build_context(scope, worker, fetcher=fetcher)
    affected = None if changed is None else impact(context, changed)
    findings = (f for f in apply_rules(context, worker, RULES) if selection.has(f) and (affected is None or affected.has(f)))
    return summarise(context, tuple(findings))


def preflight(built: EnvironmentGraph, worker: Worker) -> tuple[Diagnostic, ...]:
    """Errors and warnings about one environment and its files; raises InputError for an invalid devloop.yaml."""
    root = built.environment.root
    context = build_context(_scope(built, load_settings(root, tuple(RULES))), worker, built=(built,))
    files = {path for node in built.graph for path in node.files}
    severe = [finding for finding in apply_rules(context, worker, RULES) if finding.severity is not Severity.INFO]
    findings = [finding for finding in severe if finding.scopes or not files.isdisjoint(finding.paths)]
    return tuple(dict.fromkeys([*findings, *_silent(context, worker)]))


def blocking_errors(built: EnvironmentGraph, worker: Worker) -> tuple[Diagnostic, ...]:
    """Errors that Flux never reports, found in the graph alone."""
    return _silent(build_context(_scope(built), worker, built=(built,), graph_only=True), worker)


def build_context(
    scope: LintScope, worker: Worker, *, built: Sequence[EnvironmentGraph] = (), fetcher: Fetcher | None = None, graph_only: bool = False
) -> LintContext:
    """The context of rules; reads files and environments that are not `built` yet in parallel.

    With `graph_only`, without the repository's files and the worker's checks.
    """
    known = {each.environment.name: each for each in built}

    def build(environment: Environment) -> EnvironmentGraph:
        return known.get(environment.name) or EnvironmentGraph(
            environment, build_graph(environment, worker, remotes=scope.remotes, fetcher=fetcher)
        )

    if not graph_only:
        prepare_schemas(scope.environments, worker)
    with ThreadPoolExecutor(max_workers=len(scope.environments) + 1) as pool:
        files = None if graph_only else pool.submit(index_files, scope.root)
        graphs = tuple(pool.map(build, scope.environments))
        context = LintContext(graphs, settings=scope.settings, problems=scope.problems, today=date.today(), whole=scope.whole)
        if files is None:
            return context
        return replace(
            context,
            files=files.result(),
            worker_results=run_checks(graphs, worker, files.result(), whole=scope.whole and not scope.problems),
        )


def _scope(built: EnvironmentGraph, settings: Settings = Settings()) -> LintScope:  # noqa: B008 (frozen)
    return LintScope(built.environment.root, (built.environment,), settings, whole=False)


def _silent(context: LintContext, worker: Worker) -> tuple[Diagnostic, ...]:
    """Findings that devloop.yaml cannot turn off."""
    return apply_rules(replace(context, settings=Settings()), worker, {rule: RULES[rule] for rule in SILENT})
