"""`devloop status`: what runs and how far Flux has come; changes nothing."""

from dataclasses import replace

from devloop.commands.request import Request, open_session, report
from devloop.diagnostic import Severity
from devloop.hint import DevloopCommand
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit, Notice, Report
from devloop.plan import plan_status
from devloop.provisioners import existing
from devloop.provisioners.found import under_another_name
from devloop.provisioners.selection import existing_choices
from devloop.repository.entry_points import load
from devloop.runner import Result, recorded, run


def status(request: Request, emit: Emit, *, follow: bool = False) -> Report:
    """`follow` reports every change until interrupted."""
    environment = _existing(load(request.root, request.environment, request.definition, request.path), emit)
    result, [name, *_] = Result(), existing_choices(request.provisioner, environment)
    with open_session(request, environment, recorded(result, emit), name) as session:
        run(plan_status(follow=follow), session, result)
    return report("status", session, result, next((k.revision for k in result.kustomizations), ""))


def _existing(environment: Environment, emit: Emit) -> Environment:
    """The environment under the name by which it exists, if the definition has another one meanwhile."""
    renamed = under_another_name(environment)
    if not renamed or existing(environment.definition.name):
        return environment
    cluster = renamed[0].cluster
    message = f"{environment.name} exists as {cluster}, and the definition now says {environment.definition.name}"
    emit(Notice(message, Severity.WARNING, DevloopCommand("down", cluster)))
    return replace(environment, definition=replace(environment.definition, name=cluster))
