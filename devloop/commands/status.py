"""`devloop status`: what runs and how far Flux has come; changes nothing."""

from devloop.commands.request import Request, open_session, report
from devloop.model.report import Emit, Report
from devloop.plan import plan_status
from devloop.provisioners.selection import existing_choices
from devloop.repository.entry_points import load
from devloop.runner import Result, recorded, run


def status(request: Request, emit: Emit, *, follow: bool = False) -> Report:
    """`follow` reports every change until interrupted."""
    environment = load(request.root, request.environment, request.definition, request.path)
    result, [name, *_] = Result(), existing_choices(request.provisioner, environment)
    with open_session(request, environment, recorded(result, emit), name) as session:
        run(plan_status(follow=follow), session, result)
    return report("status", session, result, next((k.revision for k in result.kustomizations), ""))
