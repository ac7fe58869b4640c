"""Spoiled repositories: whatever is in them, validation ends with findings or says what is wrong with the input.

DEVLOOP_FUZZ=N tries N repositories instead of a few; a number that fails is enough to do it again.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.clients.git import git
from devloop.clients.worker import Worker
from devloop.console.findings import findings_by_file
from devloop.errors import InputError
from devloop.model.report import Report, Severity
from devloop.output import FORMATS, written
from devloop.output.manifests import to_yaml
from devloop.repository.frames import framed
from devloop.repository.graph import survey
from devloop.validation import validate
from devloop.validation.repository import load_repository

from .mutations import BOMB, spoil

ROOT = Path(__file__).parents[2]
FIXTURES = sorted(folder for folder in (ROOT / "tests/rules").glob("*/*/*") if folder.is_dir())
NUMBERS = range(int(os.environ.get("DEVLOOP_FUZZ", "24")))
KSAIL = """\
apiVersion: ksail.io/v1alpha1
kind: Cluster
metadata: {name: local}
spec: {workload: {sourceDirectory: ., kustomizationFile: cluster}}
"""

# What a build library's panic, a dead worker and an unknown request are called.
CRASHES = ("panicked", "worker died", "unknown request")


def lay_out(root: Path, dice: random.Random) -> None:
    """The sample platform or the repository of some rule, in a Git repository or in none."""
    if dice.random() < 0.5:
        for name in ("clusters", "k8s"):
            shutil.copytree(ROOT / name, root / name)
    else:
        shutil.copytree(dice.choice(FIXTURES), root)
        if not any(root.glob("**/ksail*.yaml")):
            (root / "ksail.yaml").write_text(KSAIL)
    if dice.random() < 0.5:
        git("init", "-q", cwd=root)


def look(root: Path, worker_program: Path) -> Report | None:
    """Everything that validate and render do; None where the input is refused."""
    try:
        repository = load_repository(root)
    except InputError:
        return None
    with Worker(worker_program, root) as worker:
        report = validate(repository, worker)
        for environment in repository.environments:
            to_yaml((manifest for node in survey(environment, worker) for manifest in node.manifests), origins=True)
    list(findings_by_file(framed(root, report.findings)))
    for name in FORMATS:
        assert written(name, report).encode()
    return report


@pytest.mark.parametrize("number", NUMBERS)
def test_a_spoiled_repository_gives_findings_and_no_traceback(number: int, worker_program: Path, tmp_path: Path) -> None:
    dice, root = random.Random(number), tmp_path / "repository"
    lay_out(root, dice)
    done = spoil(root, dice, dice.randint(1, 4))
    report = look(root, worker_program)
    crashes = [f for f in report.findings if any(word in f.message for word in CRASHES)] if report else []
    assert (done, crashes) == (done, [])


@pytest.mark.parametrize("target", ["..", ".", "/", "/dev/zero", "cluster", "nowhere"])
def test_a_link_leads_nowhere_or_round_and_round(target: str, worker_program: Path, tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text(KSAIL)
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster/settings.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n")
    # A kind without a schema makes the worker look for its definition in every file.
    (tmp_path / "cluster/widget.yaml").write_text("apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: default}\n")
    for name in ("cluster/link.yaml", "cluster/link", "link", "link.yaml"):
        (tmp_path / name).symlink_to(target)
    assert look(tmp_path, worker_program)


@pytest.mark.parametrize(
    ("text", "rule"), [("a: &a [*a]\n", "yaml/syntax"), (BOMB, "yaml/syntax"), ("a: b\n" * 20_000, "yaml/duplicate-key")]
)
def test_what_a_library_would_never_end_with_is_told_with_its_line(text: str, rule: str, worker_program: Path, tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text(KSAIL)
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster/settings.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: default}}\n{text}")
    report = look(tmp_path, worker_program)
    assert report
    assert [(f.rule, f.path, bool(f.line)) for f in report.findings if f.severity is Severity.ERROR] == [
        (rule, "cluster/settings.yaml", True)
    ]


def test_a_name_that_is_no_text_is_shown_all_the_same(worker_program: Path, tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text(KSAIL)
    (tmp_path / "cluster").mkdir()
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: default}\nstringData: {password: hunter2}\n"
    (tmp_path / "cluster" / "a\udcff.yaml").write_text(secret)
    for output in ("text", *FORMATS):
        argv = [sys.executable, "-m", "devloop", "-C", str(tmp_path), "validate", "--output", output]
        done = subprocess.run(argv, check=False, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"})
        assert (done.returncode, b"Traceback" in done.stderr) == (1, False), done.stderr.decode()
        assert b"cluster/a" in done.stdout and b"cluster/a\xff" not in done.stdout


def test_nobody_waits_for_a_pipe(worker_program: Path, tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text(KSAIL)
    (tmp_path / "cluster").mkdir()
    for name in ("cluster/a.yaml", "cluster/.sourceignore", ".sourceignore", "a.yaml", ".sops.yaml", "README.md"):
        os.mkfifo(tmp_path / name)
    report = look(tmp_path, worker_program)
    assert report and report.kustomizations[0].ready
