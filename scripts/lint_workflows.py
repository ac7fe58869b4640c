"""Check the workflows in .github/workflows and the action in action.yml with the pinned actionlint.

For `task check`. actionlint reads workflows only, so the action's steps are shown to it as the steps of a workflow that takes the same
inputs: expressions, contexts, the inputs of other actions and shells are checked alike. Exit code 1 when something is wrong.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from devloop.model.report import Event, Notice
from devloop.toolchain import Toolchain

ROOT = Path(__file__).parents[1]
ACTION = ROOT / "action.yml"
# Its findings would depend on which shellcheck and pyflakes happen to be on PATH.
ACTIONLINT = ("-shellcheck=", "-pyflakes=", "-color")


def as_workflow(action: dict[str, Any]) -> dict[str, Any]:
    """A reusable workflow with the inputs, steps and outputs of a composite action."""
    inputs = {
        name: {"type": "string", **{key: value for key, value in entry.items() if key in ("default", "required")}}
        for name, entry in action["inputs"].items()
    }
    outputs = {name: output["value"] for name, output in action["outputs"].items()}
    job = {"runs-on": "ubuntu-24.04", "outputs": outputs, "steps": action["runs"]["steps"]}
    return {"on": {"workflow_call": {"inputs": inputs}}, "permissions": {}, "jobs": {"action": job}}


def tell(event: Event) -> None:
    if isinstance(event, Notice):
        print(event.message, file=sys.stderr, flush=True)


def main() -> int:
    toolchain = Toolchain()
    toolchain.ensure(("actionlint",), tell)
    program = toolchain.path("actionlint")
    ends = [subprocess.run([program, *ACTIONLINT], cwd=ROOT).returncode]
    if ACTION.exists():
        workflow = json.dumps(as_workflow(yaml.safe_load(ACTION.read_text())), indent=1)
        command = [program, *ACTIONLINT, "-stdin-filename", "action.yml as a workflow", "-"]
        ends.append(subprocess.run(command, cwd=ROOT, input=workflow, text=True).returncode)
    return int(any(ends))


if __name__ == "__main__":
    sys.exit(main())
