"""The commands themselves: up, down, status, each from a request to a Report. Nothing here prints or parses arguments."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.clients.beside import beside
from devloop.clients.folders import state_folder
from devloop.clients.kube import import_client
from devloop.clients.lock import exclusive
from devloop.errors import DevloopError, InputError
from devloop.model.environment import Environment, Source
from devloop.model.flux import CONTROLLERS
from devloop.model.report import Emit, Finding, Found, Notice, Outcome, Report, Severity, Status
from devloop.plan import controllers, plan_down, plan_status, plan_tools, plan_up
from devloop.provisioners import open_provisioner
from devloop.provisioners.choice import AUTO, choose, existing_choices
from devloop.repository.environments import load_environment
from devloop.runner import Result, attempt, findings, interruptible, recorded, run
from devloop.session import Session
from devloop.toolchain import Toolchain

if TYPE_CHECKING:
    from devloop.images import Images, ImageState
    from devloop.model.graph import Graph
    from devloop.steps.validation import Check


@dataclass(frozen=True)
class Request:
    """What the user asked for; `timeout` in seconds, None for the definition's; `validate` says whether errors end the run.

    `allow_remote` lets validation fetch remote bases; Flux does so in any case.
    """

    root: Path
    environment: str
    definition: Path | None = None
    provisioner: str = AUTO
    key_file: Path | None = None
    timeout: float | None = None
    validate: bool = True
    recreate: bool = False
    allow_remote: bool = False


def up(request: Request, emit: Emit) -> Report:
    """From the definition to everything Ready at the working tree; raises InputError for a definition that cannot be used."""
    environment = _usable(load_environment(request.root, request.environment, request.definition))
    for warning in environment.definition.warnings:
        emit(Notice(str(warning), Severity.WARNING, warning.hint))
    chosen = choose(request.provisioner, environment)
    if chosen.reason:
        emit(Notice(f"provisioner {chosen.name}: {chosen.reason}"))
    result = Result()
    with _session(request, environment, recorded(result, emit), chosen.name) as session, _locked(environment):
        beside(lambda: _prepare(session), "preparation")
        source = _reconcile(session, request, result)
    return _report("up", session, result, source.revision if source else "")


def down(request: Request, emit: Emit) -> Report:
    """Nothing of the environment exists any more; twice is fine."""
    environment = load_environment(request.root, request.environment, request.definition)
    result = Result()
    with _locked(environment):
        for name in existing_choices(request.provisioner, environment):
            with _session(request, environment, recorded(result, emit), name) as session:
                run(plan_down(), session, result)
    return _report("down", session, result, "")


def refusal(command: str, environment: str, error: DevloopError) -> Report:
    """The report of a command that ended before it could begin."""
    step = Outcome(Status.FAILED, error.message, error.hint, title=command)
    found = findings(error) if isinstance(error, InputError) else ()
    return Report(command, environment, steps=(step,), findings=found, failure=error.exit_code)


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
    from devloop.model.subject import Inspected
    from devloop.repository.frames import framed
    from devloop.validation import objections

    def look() -> tuple[Finding, ...]:
        return framed(session.environment.root, objections(Inspected(session.environment, graph), session.worker))

    return beside(look, "validation").result


def _usable(environment: Environment) -> Environment:
    if environment.definition.blockers:
        raise InputError.of(environment.definition.blockers)
    return environment


def _locked(environment: Environment) -> contextlib.AbstractContextManager[None]:
    return exclusive(state_folder() / f"{environment.definition.name}.lock", f"the environment {environment.name}")


@contextlib.contextmanager
def _session(request: Request, environment: Environment, emit: Emit, provisioner: str) -> Iterator[Session]:
    toolchain, stop = Toolchain(), threading.Event()
    opened = open_provisioner(provisioner, environment, toolchain, stop)
    session = Session(environment, opened, toolchain, emit, request.key_file, stop)
    with interruptible(session):
        try:
            yield session
        finally:
            session.close()


def _survey(session: Session, request: Request) -> tuple[Graph, Outcome]:
    """The graph; what Flux would wait for in vain is told here where nothing is validated."""
    from devloop.clients.git import remotes
    from devloop.model.subject import Inspected
    from devloop.repository.graph import survey
    from devloop.repository.render import open_fetcher
    from devloop.validation import hopeless

    with open_fetcher(allowed=request.allow_remote, stop=session.stop) as fetcher:
        graph = survey(session.environment, session.worker, remotes=remotes(session.environment.root), fetcher=fetcher)
    if not request.validate and (found := hopeless(Inspected(session.environment, graph), session.worker)):
        session.emit(Found(found))
        raise InputError("Flux would wait for ever", hint=f"devloop validate --environment {session.environment.name}")
    return graph, Outcome(Status.UNCHANGED, f"{len(graph.nodes)} Kustomizations")


def _snapshot(session: Session, graph: Graph) -> tuple[Source, Outcome]:
    from devloop.repository.snapshot import snapshot

    source = snapshot(session.environment.root, graph.source_directory)
    return source, Outcome(Status.UNCHANGED, source.revision)


def _report(command: str, session: Session, result: Result, revision: str) -> Report:
    return Report(
        command,
        session.environment.name,
        session.provisioner.name,
        revision,
        tuple(result.outcomes),
        result.kustomizations,
        result.findings,
        result.failure,
    )


def status(request: Request, emit: Emit, *, follow: bool = False) -> Report:
    """What runs and how far Flux has come, without changing anything; with `follow` told anew at every change until interrupted."""
    environment = load_environment(request.root, request.environment, request.definition)
    result, [name, *_] = Result(), existing_choices(request.provisioner, environment)
    with _session(request, environment, recorded(result, emit), name) as session:
        run(plan_status(follow=follow), session, result)
    return _report("status", session, result, next((k.revision for k in result.kustomizations), ""))


def init(directory: Path, emit: Emit) -> tuple[str, ...]:
    """Scaffold the sample platform; the lines that tell the user what was made and what to do next."""
    from devloop.scaffold import refuse_occupied, scaffold

    refuse_occupied(directory)
    toolchain = Toolchain()
    toolchain.ensure(("sops",), emit)
    return scaffold(directory, toolchain.path("sops"))


# What `init`, `up` and `validate` can need.
EVERYTHING = (
    "worker",
    "sops",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    *CONTROLLERS,
    "helm-controller",
)


def install(names: tuple[str, ...], emit: Emit) -> None:
    """Install the named tools, or all that `up` and `init` can need."""
    toolchain = Toolchain()
    toolchain.ensure(names or EVERYTHING, emit)


def make_images(names: tuple[str, ...], emit: Emit) -> None:
    """Make the named images, or all that there are; those that the engine has as they would be made now stay."""
    with _images() as images:
        images.ensure(names or images.names, emit)


def image_states(names: tuple[str, ...]) -> tuple[ImageState, ...]:
    """What the engine has of the named images, or of all."""
    with _images() as images:
        return images.states(names or images.names)


@contextlib.contextmanager
def _images() -> Iterator[Images]:
    from devloop.clients.engine import connect
    from devloop.images import Images

    with contextlib.closing(connect()) as engine:
        yield Images(Toolchain(), engine)


def toolchain_key(names: tuple[str, ...]) -> str:
    """What changes whenever one of the named tools does, or one of all that `up` and `init` can need."""
    return Toolchain().common_key(names or EVERYTHING)


def doctor(root: Callable[[], Path], name: str, *, definition: Path | None, provisioner: str, key_file: Path | None) -> Report:
    """Whether this machine, and the environment `name` if that is not '', have what `up` needs; `root` may raise like any check."""
    from devloop.doctor import Patient, examine

    patient = Patient(root, name, definition, key_file, provisioner, EVERYTHING)
    return Report("doctor", name, provisioner, diagnoses=examine(patient))
