"""Checks .github, action.yml and the workflows in docs/github-actions.md with the pinned actionlint and zizmor, for `task check`.

zizmor looks for what others could misuse, offline, so that the same files give the same result; .github/zizmor.yml lists the exceptions.
actionlint reads only workflows, so the steps of the action are checked as those of a workflow with the same inputs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from devloop.model.report import Event, Notice
from devloop.toolchain import Toolchain

ROOT = Path(__file__).parents[1]
ACTION = ROOT / "action.yml"
HOOKS = ROOT / "hooks" / ".pre-commit-hooks.yaml"
DOCUMENTATION = ROOT / "docs" / "github-actions.md"
ZIZMOR = ("zizmor", "--offline", "--quiet", "--persona=pedantic", "--strict-collection", "--no-progress")
# Otherwise, the findings depend on the shellcheck and pyflakes on PATH.
ACTIONLINT = ("-shellcheck=", "-pyflakes=")


def as_workflow(action: dict[str, Any]) -> dict[str, Any]:
    """A reusable workflow with the inputs, steps and outputs of a composite action."""
    inputs = {
        name: {"type": "string", **{key: value for key, value in entry.items() if key in ("default", "required")}}
        for name, entry in action["inputs"].items()
    }
    outputs = {name: output["value"] for name, output in action["outputs"].items()}
    job = {"runs-on": "ubuntu-24.04", "outputs": outputs, "steps": action["runs"]["steps"]}
    return {"on": {"workflow_call": {"inputs": inputs}}, "permissions": {}, "jobs": {"action": job}}


def print_notice(event: Event) -> None:
    if isinstance(event, Notice):
        print(event.message, file=sys.stderr, flush=True)


def documented_workflows() -> dict[str, str]:
    """The workflows in the documentation, with the local action."""
    blocks = re.findall(r"^```yaml\n(name: .+?)^```", DOCUMENTATION.read_text(), re.DOTALL | re.MULTILINE)
    return {f"{DOCUMENTATION.stem}-{n}.yml": re.sub(r"OWNER/devloop@\S+", "./", block) for n, block in enumerate(blocks, 1)}


def fill(project: Path) -> None:
    """Copies everything to check into `project`; actionlint requires a Git repository."""
    (project / ".git").mkdir()
    shutil.copytree(ROOT / ".github", project / ".github")
    for file in (ACTION, HOOKS):
        shutil.copy(file, project)
    for name, text in documented_workflows().items():
        (project / ".github/workflows" / name).write_text(text)


def audit(project: Path) -> int:
    """zizmor's exit code, 0 without findings."""
    return subprocess.run([Path(sys.executable).with_name(ZIZMOR[0]), *ZIZMOR[1:], "."], cwd=project).returncode


def check(project: Path, actionlint: Path) -> int:
    """actionlint's exit code, 0 without findings; for it, the steps of the action become a workflow."""
    action = project / ".github/workflows/action.yml"
    action.write_text(json.dumps(as_workflow(yaml.safe_load(ACTION.read_text())), indent=1))
    return subprocess.run([actionlint, *ACTIONLINT], cwd=project).returncode


def main() -> int:
    toolchain = Toolchain()
    toolchain.ensure(("actionlint",), print_notice)
    with tempfile.TemporaryDirectory() as name:
        fill(Path(name))
        found = [audit(Path(name)), check(Path(name), toolchain.path("actionlint"))]
    return max(found)


if __name__ == "__main__":
    sys.exit(main())
