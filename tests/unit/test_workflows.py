"""What actionlint does not look at: which code the workflows and actions run, and with which rights."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.y*ml"))
ACTIONS = sorted([*(ROOT / ".github/actions").glob("*/action.yml"), *ROOT.glob("action.yml")])
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def jobs(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text())["jobs"])


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_others_actions_are_pinned_by_commit_with_the_version_beside(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    assert [action for action in used if not action.startswith("./") and not PINNED.fullmatch(action)] == []


def test_one_action_has_one_version() -> None:
    used = {action for file in (*WORKFLOWS, *ACTIONS) for action in re.findall(r"uses: ([\w-]+/[\w-]+)\S*@(\S+)", file.read_text())}
    assert len(used) == len({name for name, _ in used})


# The jobs that may do more than read, of which none runs code of this repository.
RIGHTS = {
    ("release.yml", "publish"): {"id-token": "write"},
    ("release.yml", "announce"): {"contents": "write"},
}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_has_a_time_limit_and_may_only_read(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    assert document["permissions"] == {"contents": "read"}
    assert document["concurrency"]["cancel-in-progress"] is (path.name != "release.yml")
    for name, job in jobs(path).items():
        assert job["timeout-minutes"] <= 60, name
        assert job.get("permissions") == RIGHTS.get((path.name, name)), name


@pytest.mark.parametrize(("name", "job"), RIGHTS)
def test_a_job_that_may_write_runs_no_code_of_this_repository(name: str, job: str) -> None:
    steps = jobs(ROOT / ".github/workflows" / name)[job]["steps"]
    assert [step for step in steps if step.get("uses", "").startswith(("actions/checkout@", "./"))] == []


def test_a_release_has_one_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    hooks = tomllib.loads((ROOT / "hooks/pyproject.toml").read_text())["project"]
    assert (hooks["version"], hooks["dependencies"]) == (version, [f"devloop=={version}"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_checkouts_leave_no_credentials(path: Path) -> None:
    steps = [step for job in jobs(path).values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_expression_becomes_a_part_of_a_script(path: Path) -> None:
    """What an expression gives may be chosen by others: scripts get it through their environment."""
    document = yaml.safe_load(path.read_text())
    runs = [document["runs"]] if "runs" in document else list(document["jobs"].values())
    scripts = [step["run"] for run in runs for step in run["steps"] if "run" in step]
    assert [script for script in scripts if "${{" in script] == []
