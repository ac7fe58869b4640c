"""action.yml as GitHub's runner would run it: its scripts in a clean clone, one step after the other, with the files and variables that a
runner gives. Actions of others (Python, Go, caches) do nothing here: what they would set up is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.xdg import cache_folder
from devloop.provisioners import PROVISIONERS
from scripts.faults.environment import claim_names

from .conftest import User, clean_up, copy_of_the_working_tree, remains, without_go

EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
REFERENCE = re.compile(r"\b(inputs|steps)((?:\.[\w-]+)+)")


@dataclass
class Runner:
    """A job of GitHub's in `folder`, of which `workspace` is the repository that uses the action in the clone `action`."""

    folder: Path
    workspace: Path
    action: Path
    user: User
    ref: str = "main"
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    log: str = ""
    status: int = 0

    def use(self, env: dict[str, str] | None = None, **inputs: str) -> Runner:
        """Run the action with these inputs (`_` for `-` in their names) until a step fails; what it wrote is in `log` and `steps`."""
        document = yaml.safe_load((self.action / "action.yml").read_text())
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert set(given) <= set(document["inputs"])
        values = {name: entry.get("default", "") for name, entry in document["inputs"].items()}
        values |= {"working-directory": self.workspace.name} | given
        self.steps, self.log, self.status = {}, "", 0
        for number, step in enumerate(document["runs"]["steps"]):
            if self.status == 0 and "run" in step and self._wanted(step, values):
                self._run(step, number, values, env or {})
        return self

    def output(self, name: str) -> str:
        value = yaml.safe_load((self.action / "action.yml").read_text())["outputs"][name]["value"]
        return self._filled(value, {})

    @property
    def summary(self) -> str:
        path = self.folder / "summary"
        return path.read_text() if path.exists() else ""

    def _wanted(self, step: dict[str, Any], inputs: dict[str, str]) -> bool:
        """`if:` with comparisons and &&, the only operators that the action uses."""
        terms = str(step.get("if", "'' == ''")).split("&&")
        pairs = [re.fullmatch(r"\s*(\S+) (==|!=) '(\S*)'\s*", term) for term in terms]
        assert all(pairs), step["if"]
        return all((self._value(pair[1], inputs) == pair[3]) == (pair[2] == "==") for pair in pairs if pair)

    def _value(self, reference: str, inputs: dict[str, str]) -> str:
        if reference == "github.action_ref":
            return self.ref
        match = REFERENCE.fullmatch(reference)
        if not match:
            return reference.strip("'")
        path = match[2].strip(".").split(".")
        return inputs[path[0]] if match[1] == "inputs" else self.steps.get(path[0], {}).get(path[2], "")

    def _filled(self, text: str, inputs: dict[str, str]) -> str:
        return EXPRESSION.sub(lambda match: self._value(match[1], inputs), str(text))

    def _run(self, step: dict[str, Any], number: int, inputs: dict[str, str], env: dict[str, str]) -> None:
        script, output = self.folder / f"step-{number}.sh", self.folder / f"output-{number}"
        script.write_text(step["run"])
        output.touch()
        of_step = {name: self._filled(value, inputs) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace.parent / self._filled(step.get("working-directory", "."), inputs),
            env=self._environment(output) | env | of_step,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        self.log += done.stdout
        self.status = done.returncode
        self.steps[step.get("id", str(number))] = dict(line.split("=", 1) for line in output.read_text().splitlines())

    def _environment(self, output: Path) -> dict[str, str]:
        """As bare as a runner's: nothing of the tests' own Python or keys."""
        prefixes = ("HOME", "XDG_", "KUBECONFIG", "LANG", "PIP_", "GO", "DEVLOOP_KEEP")
        kept = {name: value for name, value in self.user.env.items() if name.startswith(prefixes)}
        return kept | {
            "PATH": f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(cache_folder().parent),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.action),
            "GITHUB_WORKSPACE": str(self.workspace.parent),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_ENV": str(self.folder / "env"),
            "GITHUB_PATH": str(self.folder / "path"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "RUNNER_TEMP": str(self.folder),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
        }


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    folder = tmp_path_factory.mktemp("runner")
    user = User(folder)
    action, workspace = folder / "_actions" / "devloop", folder / "platform"
    action.parent.mkdir()
    copy_of_the_working_tree(action)
    assert user.devloop("init", str(workspace)).status == 0
    yield Runner(folder, workspace, action, user)
    for provisioner in PROVISIONERS:
        clean_up(replace(user, provisioner=provisioner))


def age_key(user: User, environment: str) -> str:
    """The private half alone, as a secret of GitHub's would hold it; in a home where devloop does not find it by itself."""
    (found,) = (user.home / "config" / "devloop" / "keys").rglob(f"{environment}-*.agekey")
    return next(line for line in found.read_text().splitlines() if line.startswith("AGE-SECRET-KEY-"))


def elsewhere(runner: Runner) -> dict[str, str]:
    """A home without keys."""
    return {"XDG_CONFIG_HOME": str(runner.folder / "nobody")}


def test_validates_every_environment_by_default(runner: Runner) -> None:
    runner.use()
    assert runner.status == 0, runner.log
    assert runner.output("exit-code") == "0"
    assert json.loads(Path(runner.output("report")).read_text())["ok"] is True
    assert "### devloop validate : passed" in runner.summary


def test_a_release_installs_its_wheel(runner: Runner, package_index: Path) -> None:
    """Without Go, and without the programs of an earlier run."""
    environment = without_go({"PATH": os.environ["PATH"]}, package_index, runner.folder / "bare")
    released = replace(runner, ref="v0.1", folder=runner.folder / "release")
    released.folder.mkdir()
    released.use(environment)
    assert released.status == 0, released.log
    assert released.steps["install"]["needed"] == "false"
    assert released.output("exit-code") == "0"


def test_an_error_is_annotated_and_fails_the_job(runner: Runner) -> None:
    broken = runner.workspace / "k8s/bases/apps/kustomization.yaml"
    text = broken.read_text()
    try:
        broken.write_text(text.replace("resources:", "resources:\n  - not-there.yaml"))
        runner.use(environment="local")
        assert runner.status == 1
        assert runner.output("exit-code") == "1"
        finding, *_ = json.loads(Path(runner.output("report")).read_text())["findings"]
        assert finding["severity"] == "error"
        assert f"::error file={runner.workspace.name}/{finding['path']},line={finding['line']}," in runner.log
    finally:
        broken.write_text(text)


def test_without_the_key_nothing_is_created(runner: Runner) -> None:
    runner.use(elsewhere(runner), commands="up", environment="local", provisioner="embedded")
    assert runner.status == 2
    assert "no key decrypts it" in runner.log
    assert remains(runner.user) == []


@pytest.mark.parametrize("provisioner", PROVISIONERS)
def test_up_status_and_down_with_the_key_in_a_secret(runner: Runner, provisioner: str) -> None:
    if provisioner == "kind":
        claim_names(runner.workspace, "devloop-test-action")
    key, commands = age_key(runner.user, "local"), "up status down"
    before = len(runner.summary)
    runner.use(elsewhere(runner), commands=commands, environment="local", provisioner=provisioner, age_key=key, timeout="3m")
    assert runner.status == 0, runner.log
    headings = [line for line in runner.summary[before:].splitlines() if line.startswith("###")]
    assert headings == ["### ✅ devloop up: local is healthy", "### devloop status local: passed", "### devloop down local: passed"]
    assert "flux-system/apps" in runner.log
    report = json.loads(Path(runner.output("report")).read_text())
    assert (report["command"], report["provisioner"]) == ("down", provisioner)
    assert key not in runner.log + runner.summary
    assert remains(replace(runner.user, provisioner=provisioner)) == []


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"commands": "up"}, "up needs an environment, "),
        ({"commands": "destroy", "environment": "x"}, "there is no command destroy, "),
    ],
)
def test_refuses_invalid_inputs(runner: Runner, inputs: dict[str, str], said: str) -> None:
    runner.use(None, **inputs)
    assert runner.status == 2
    assert f"::error title=devloop::{said}" in runner.log
