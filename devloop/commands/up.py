"""`devloop up`: from the definition to everything Ready at the working tree."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from devloop.clients.background import in_background
from devloop.clients.kube import import_client
from devloop.commands.request import Request, locked, open_session, report
from devloop.errors import DevloopError, InputError
from devloop.model.cluster.environment import Environment, Source
from devloop.model.flux.names import CONTROLLERS
from devloop.model.report import Emit, Finding, Found, Notice, Outcome, Report, Severity, Status
from devloop.plan import controllers, plan_tools, plan_up
from devloop.provisioners.selection import choose
from devloop.repository.environments import load_environment
from devloop.runner import Result, attempt, recorded, run
from devloop.session import Session

if TYPE_CHECKING:
    from devloop.model.flux.graph import Graph
    from devloop.steps.validation import Check


def up(request: Request, emit: Emit) -> Report:
    """From the definition to everything Ready at the working tree; raises InputError for a definition that cannot be used."""
    environment = _usable(load_environment(request.root, request.environment, request.definition))
    for warning in environment.definition.warnings:
        emit(Notice(str(warning), Severity.WARNING, warning.hint))
    chosen = choose(request.provisioner, environment)
    if chosen.reason:
        emit(Notice(f"provisioner {chosen.name}: {chosen.reason}"))
    result = Result()
    with open_session(request, environment, recorded(result, emit), chosen.name) as session, locked(environment):
        in_background(lambda: _prepare(session), "preparation")
        source = _reconcile(session, request, result)
    return report("up", session, result, source.revision if source else "")


def _reconcile(session: Session, request: Request, result: Result) -> Source | None:
    """The revision that the environment was asked to reconcile; None when it did not come to that."""
    if not run(plan_tools(("worker", *session.provisioner.tools(CONTROLLERS))), session, result):
        return None
    graph = attempt("repository", lambda: _survey(session, request), session, result)
    check = _check(session, graph) if graph and request.validate else None
    source = graph and attempt("snapshot", lambda: _snapshot(session, graph), session, result)
    if not (graph and source):
        return None
    tools, timeout = session.provisioner.tools(controllers(graph)), request.timeout or session.environment.definition.timeout
    run(plan_up(graph, source, tools, timeout, check, recreate=request.recreate), session, result)
    return source


def _prepare(session: Session) -> None:
    """What can be had while the repository is rendered, mostly by another process; who needs it then says what went wrong."""
    with contextlib.suppress(DevloopError, OSError):
        session.provisioner.prepare()
    import_client()


def _check(session: Session, graph: Graph) -> Check:
    """Validation, which begins at once and beside whatever comes next."""
    from devloop.lint.run import preflight
    from devloop.lint.snippets import add_snippets
    from devloop.model.lint.context import EnvironmentGraph

    def look() -> tuple[Finding, ...]:
        return add_snippets(session.environment.root, preflight(EnvironmentGraph(session.environment, graph), session.worker))

    return in_background(look, "validation").result


def _usable(environment: Environment) -> Environment:
    if environment.definition.blockers:
        raise InputError.of(environment.definition.blockers)
    return environment


def _survey(session: Session, request: Request) -> tuple[Graph, Outcome]:
    """The graph; what Flux would wait for in vain is told here where nothing is validated."""
    from devloop.clients.git import remotes
    from devloop.lint.run import blocking_errors
    from devloop.model.lint.context import EnvironmentGraph
    from devloop.repository.graph import build_graph
    from devloop.repository.render import open_fetcher

    with open_fetcher(allowed=request.allow_remote, stop=session.stop) as fetcher:
        graph = build_graph(session.environment, session.worker, remotes=remotes(session.environment.root), fetcher=fetcher)
    if not request.validate and (found := blocking_errors(EnvironmentGraph(session.environment, graph), session.worker)):
        session.emit(Found(found))
        raise InputError("Flux would wait for ever", hint=f"devloop validate --environment {session.environment.name}")
    return graph, Outcome(Status.UNCHANGED, f"{len(graph.nodes)} Kustomizations")


def _snapshot(session: Session, graph: Graph) -> tuple[Source, Outcome]:
    from devloop.repository.snapshot import snapshot

    source = snapshot(session.environment.root, graph.source_directory)
    return source, Outcome(Status.UNCHANGED, source.revision)
