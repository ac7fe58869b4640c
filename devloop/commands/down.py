"""`devloop down`: deletes environments, with every provisioner that they run on."""

from pathlib import Path

from devloop.commands.existing import Action, run_on, run_on_all
from devloop.commands.request import Request
from devloop.model.report import Emit, Report
from devloop.plan import plan_down

DELETE = Action("down", "delete", "nothing to delete", plan_down)


def down(request: Request, root: Path | None, emit: Emit) -> Report:
    """Removes the environment `request.environment`; `root` is the repository, None outside of one."""
    return run_on(request, root, emit, DELETE)


def down_all(request: Request, emit: Emit) -> Report:
    """Removes every environment of this user; goes on after a failure."""
    return run_on_all(request, emit, DELETE)
