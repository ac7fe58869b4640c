"""`devloop stop`: ends or pauses what runs of environments; `up` continues with what they had."""

from pathlib import Path

from devloop.commands.existing import Action, run_on, run_on_all
from devloop.commands.request import Request
from devloop.model.report import Emit, Report
from devloop.plan import plan_stop

STOP = Action("stop", "stop", "nothing to stop", plan_stop)


def stop(request: Request, root: Path | None, emit: Emit) -> Report:
    """Stops the environment `request.environment`; `root` is the repository, None outside of one."""
    return run_on(request, root, emit, STOP)


def stop_all(request: Request, emit: Emit) -> Report:
    """Stops every environment of this user; goes on after a failure."""
    return run_on_all(request, emit, STOP)
