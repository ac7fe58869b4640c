"""`devloop up`: from the definition to everything Ready at the working tree."""

import contextlib

from devloop.clients.background import in_background
from devloop.clients.kube import import_client
from devloop.commands.request import Request, locked, open_session, report
from devloop.diagnostic import Severity
from devloop.errors import DevloopError, InputError
from devloop.flux.install import objects_of
from devloop.hint import DevloopCommand
from devloop.model.cluster.environment import Environment, Source
from devloop.model.flux.names import CONTROLLERS
from devloop.model.report import Emit, Notice, Report
from devloop.plan import plan_up
from devloop.provisioners.found import under_another_name
from devloop.provisioners.selection import choose
from devloop.repository.entry_points import load
from devloop.runner import Result, recorded, run
from devloop.session import Session
from devloop.steps import Output
from devloop.toolchain import Toolchain


def up(request: Request, emit: Emit) -> Report:
    """Raises InputError for a definition that cannot be used."""
    environment = load(request.root, request.environment, request.definition, request.path)
    if environment.definition.blockers:
        raise InputError.of(environment.definition.blockers)
    for warning in environment.definition.warnings:
        emit(Notice(str(warning), Severity.WARNING, warning.hint))
    if not environment.definition.generation:
        emit(Notice(_defaults(environment)))
    _refuse_renamed(environment)
    chosen = choose(request.provisioner, environment)
    if chosen.reason:
        emit(Notice(f"provisioner {chosen.name}: {chosen.reason}"))
    result, source = Result(), Output[Source]()
    timeout = request.timeout or environment.definition.timeout
    with open_session(request, environment, recorded(result, emit), chosen.name) as session, locked(session):
        in_background(lambda: _prepare(session), "preparation")
        options = {"validate": request.validate, "allow_remote": request.allow_remote, "recreate": request.recreate}
        run(plan_up(source, timeout, resumes=session.provisioner.resumes_slowly(), **options), session, result)
    return report("up", session, result, source.value.revision if source.is_set else "")


def _refuse_renamed(environment: Environment) -> None:
    """Raises DevloopError if the environment exists under another name: two would use the same ports."""
    for existing in under_another_name(environment):
        message = f"{environment.name} exists as {existing.cluster} ({existing.provisioner}), and the definition now says"
        raise DevloopError(f"{message} {environment.definition.name}", hint=DevloopCommand("down", existing.cluster))


def _defaults(environment: Environment) -> str:
    """What an environment without a definition gets."""
    definition = environment.definition
    version = definition.kubernetes_version or Toolchain().version("kubelet")
    return (
        f"{environment.name} has no KSail definition: a cluster {definition.name} with one node and Kubernetes {version}, "
        f"entered at {environment.entry_path}"
    )


def _prepare(session: Session) -> None:
    """Loads what later steps need while the worker renders the repository; those steps report any error again."""
    with contextlib.suppress(DevloopError, OSError):
        session.provisioner.prepare()
    import_client()
    with contextlib.suppress(DevloopError, OSError):
        for name in CONTROLLERS:
            objects_of(session.toolchain, name)
