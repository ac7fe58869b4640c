"""One pipeline for `validate` and for the preflight of `up`: a context, the rules on it, diagnostics."""

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
from devloop.lint.selection import Selection, chosen
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

# Rules whose breach no controller ever reports as a failure.
SILENT = ("graph/dependency-cycle", "graph/dependency-missing")


def validate(
    scope: LintScope,
    worker: Worker,
    selection: Selection = Selection(),  # noqa: B008 (frozen)
    fetcher: Fetcher | None = None,
) -> Report:
    """Check the environments of a repository and report what `selection` asks for; what is remote is left out, or got by `fetcher`.

    The same repository gives the same report, to the byte: nothing in it comes from a clock or from the order in which builds end,
    save that exemptions have a last day. Raises InputError for a rule or a revision that does not exist.
    """
    chosen(selection.rules)
    changed = changed_files(scope.root, selection.since) if selection.since else None
    context = build_context(scope, worker, fetcher=fetcher)
    reached = None if changed is None else impact(context, changed)
    found = (f for f in apply_rules(context, worker, RULES) if selection.has(f) and (reached is None or reached.has(f)))
    return summarise(context, tuple(found))


def preflight(built: EnvironmentGraph, worker: Worker) -> tuple[Diagnostic, ...]:
    """Errors and warnings about one environment, those of files that it is built from included.

    Raises InputError for a devloop.yaml that cannot be used.
    """
    root = built.environment.root
    context = build_context(_scope(built, load_settings(root, tuple(RULES))), worker, built=(built,))
    found = [f for f in apply_rules(context, worker, RULES) if f.severity is not Severity.INFO and _concerns(f, built)]
    return tuple(dict.fromkeys([*found, *_silent(context, worker)]))


def blocking_errors(built: EnvironmentGraph, worker: Worker) -> tuple[Diagnostic, ...]:
    """What Flux would wait for and never report, found in the graph alone."""
    return _silent(build_context(_scope(built), worker, built=(built,), graph_only=True), worker)


def build_context(
    scope: LintScope,
    worker: Worker,
    *,
    built: Sequence[EnvironmentGraph] = (),
    fetcher: Fetcher | None = None,
    graph_only: bool = False,
) -> LintContext:
    """Everything that rules look at; environments and files are read side by side, those already `built` not again.

    With `graph_only`, neither the repository's files nor what the worker's checks say.
    """
    known = {each.environment.name: each for each in built}
    if not graph_only:
        prepare_schemas(scope.environments, worker)
    with ThreadPoolExecutor(max_workers=len(scope.environments) + 1) as pool:
        files = None if graph_only else pool.submit(index_files, scope.root)
        graphs = tuple(pool.map(lambda e: known.get(e.name) or _build(e, scope, worker, fetcher), scope.environments))
        context = LintContext(graphs, settings=scope.settings, problems=scope.problems, today=date.today(), whole=scope.whole)
        if files is None:
            return context
        judgements = run_checks(graphs, worker, files.result())
        return replace(context, files=files.result(), judgements=judgements)


def _build(environment: Environment, scope: LintScope, worker: Worker, fetcher: Fetcher | None) -> EnvironmentGraph:
    return EnvironmentGraph(environment, build_graph(environment, worker, remotes=scope.remotes, fetcher=fetcher))


def _scope(built: EnvironmentGraph, settings: Settings = Settings()) -> LintScope:  # noqa: B008 (frozen)
    return LintScope(built.environment.root, (built.environment,), settings, whole=False)


def _silent(context: LintContext, worker: Worker) -> tuple[Diagnostic, ...]:
    """Whatever devloop.yaml says of these rules."""
    return apply_rules(replace(context, settings=Settings()), worker, {rule: RULES[rule] for rule in SILENT})


def _concerns(finding: Diagnostic, built: EnvironmentGraph) -> bool:
    return bool(finding.scopes) or any(path in node.files for node in built.graph for path in finding.paths)
