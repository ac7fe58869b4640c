"""Broken repositories: validation always ends with findings or an input error.

DEVLOOP_FUZZ=N tries N repositories instead of a few, DEVLOOP_FUZZ=M-N those from M up to N; a number that fails is enough to do it again.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.clients.git import first_commit, git
from devloop.clients.worker import Worker
from devloop.console.findings import findings_by_file
from devloop.diagnostic import Severity
from devloop.errors import DevloopError, InputError
from devloop.lint.run import Selection, validate
from devloop.lint.scope import load_scope
from devloop.lint.snippets import add_snippets
from devloop.model.report import Report
from devloop.output import FORMATS
from devloop.output.json import to_json
from devloop.output.manifests import to_yaml
from devloop.repository.graph import build_graph
from devloop.scaffold.secrets import sample_secrets

from .mutations import BOMB, FIXTURES, ROOT, spoil

FIRST, _, END = os.environ.get("DEVLOOP_FUZZ", "0-24").rpartition("-")
NUMBERS = range(int(FIRST or 0), int(END))
# What opens the secret of tests/zoo, which is none.
KEY = "AGE-SECRET-KEY-" + "1RKVEATTHMP7JXFRF0NVENR2CKZGGLEM2A3Z6XR6VKW4VH27TEK3QKRKSZV"
KSAIL = """\
apiVersion: ksail.io/v1alpha1
kind: Cluster
metadata: {name: local}
spec: {workload: {sourceDirectory: ., kustomizationFile: cluster}}
"""

# What a build library's panic, a dead worker and an unknown request are called.
CRASHES = ("panicked", "worker died", "unknown request")


def lay_out(root: Path, dice: random.Random) -> None:
    """The sample platform, the repository that has one of each, or that of some rule; with or without Git."""
    kind = dice.randrange(3)
    if kind == 0:
        for name in ("clusters", "k8s", "policies"):
            shutil.copytree(ROOT / name, root / name)
        for path, text in (item for name in ("local", "dev", "prod") for item in sample_secrets(name).items()):
            (root / path).write_text(re.sub(r'"[^"]*"', '"the same each time"', text))
    else:
        shutil.copytree(ROOT / "tests/zoo" if kind == 1 else dice.choice(FIXTURES), root)
        if not any(root.glob("**/ksail*.yaml")):
            (root / "ksail.yaml").write_text(KSAIL)
    if (state := dice.randrange(3)) == 0:
        git("init", "-q", cwd=root)
    elif state == 1:
        first_commit(root, "Begin")


def look(root: Path, worker_program: Path, store: Path | None = None) -> Report | None:
    """Validates and renders; None for an input error."""
    try:
        repository = load_scope(root)
    except InputError:
        return None
    with Worker(worker_program, root, KEY, store=store) as worker:
        report = validate(repository, worker)
        with contextlib.suppress(DevloopError):  # there need be no such revision
            validate(repository, worker, Selection(since="HEAD"))
        for environment in repository.environments:
            to_yaml((manifest for node in build_graph(environment, worker) for manifest in node.manifests), origins=True)
    list(findings_by_file(add_snippets(root, report.findings)))
    for name in FORMATS:
        assert FORMATS[name].write(report).encode()
    return report


@pytest.mark.parametrize("number", NUMBERS)
def test_a_broken_repository_gives_findings_and_no_traceback(number: int, worker_program: Path, tmp_path: Path) -> None:
    dice, root = random.Random(number), tmp_path / "repository"
    lay_out(root, dice)
    done = spoil(root, dice, dice.randint(1, 4))
    report = look(root, worker_program, tmp_path / "store")
    crashes = [f for f in report.findings if any(word in f.message for word in CRASHES)] if report else []
    assert (done, crashes) == (done, [])
    again = look(root, worker_program, tmp_path / "store")
    assert (done, report and to_json(report)) == (done, again and to_json(again))


@pytest.mark.parametrize("target", ["..", ".", "/", "/dev/zero", "cluster", "nowhere"])
def test_dangling_and_circular_links(target: str, worker_program: Path, tmp_path: Path) -> None:
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
def test_input_that_hangs_a_library_is_reported_with_its_line(text: str, rule: str, worker_program: Path, tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text(KSAIL)
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster/settings.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: default}}\n{text}")
    report = look(tmp_path, worker_program)
    assert report
    assert [(f.rule, f.path, bool(f.line)) for f in report.findings if f.severity is Severity.ERROR] == [
        (rule, "cluster/settings.yaml", True)
    ]


def test_a_file_name_that_is_not_utf_8_is_shown(worker_program: Path, tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text(KSAIL)
    (tmp_path / "cluster").mkdir()
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: default}\nstringData: {password: hunter2}\n"
    (tmp_path / "cluster" / "a\udcff.yaml").write_text(secret)
    for output in ("text", *FORMATS):
        argv = [sys.executable, "-m", "devloop", "-C", str(tmp_path), "validate", "--output", output]
        done = subprocess.run(argv, check=False, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"})
        assert (done.returncode, b"Traceback" in done.stderr) == (1, False), done.stderr.decode()
        assert b"cluster/a" in done.stdout and b"cluster/a\xff" not in done.stdout


def test_a_pipe_does_not_block(worker_program: Path, tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text(KSAIL)
    (tmp_path / "cluster").mkdir()
    for name in ("cluster/a.yaml", "cluster/.sourceignore", ".sourceignore", "a.yaml", ".sops.yaml", "README.md"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "cluster/settings.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: default}\n")
    report = look(tmp_path, worker_program)
    assert report and report.kustomizations[0].ready
