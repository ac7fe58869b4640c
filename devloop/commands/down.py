"""`devloop down`: deletes the environment, with every provisioner that it runs on."""

from devloop.commands.request import Request, locked, open_session, report
from devloop.model.report import Emit, Report
from devloop.plan import plan_down
from devloop.provisioners.selection import existing_choices
from devloop.repository.entry_points import load
from devloop.runner import Result, recorded, run


def down(request: Request, emit: Emit) -> Report:
    environment = load(request.root, request.environment, request.definition, request.path)
    result = Result()
    with locked(environment):
        for name in existing_choices(request.provisioner, environment):
            with open_session(request, environment, recorded(result, emit), name) as session:
                run(plan_down(), session, result)
    return report("down", session, result, "")
