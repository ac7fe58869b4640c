"""The sample platform is clean, and each rule reports the fault that is inserted for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules import RULES
from devloop.lint.run import Selection, validate
from devloop.lint.scope import load_scope
from devloop.scaffold import scaffold

from . import plants_files, plants_graph, plants_objects

PLANTS = plants_files.PLANTS | plants_graph.PLANTS | plants_objects.PLANTS


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, sops_program: Path) -> Path:
    """From `devloop init`, without its keys, so encrypted files stay encrypted."""
    root = tmp_path_factory.mktemp("sample") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        scaffold(root, sops_program)
    return root


@pytest.fixture(scope="module")
def before(sample: Path, worker_program: Path) -> tuple[Diagnostic, ...]:
    """All findings in the sample."""
    return _findings(sample, worker_program)


def _findings(root: Path, worker_program: Path, *rules: str) -> tuple[Diagnostic, ...]:
    with Worker(worker_program, root) as worker:
        return validate(load_scope(root), worker, Selection(rules=rules)).findings


def test_the_sample_is_clean(before: tuple[Diagnostic, ...]) -> None:
    assert [finding for finding in before if finding.severity is not Severity.INFO] == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_reports_the_planted_fault_and_only_that(
    rule: str, before: tuple[Diagnostic, ...], sample: Path, tmp_path: Path, worker_program: Path
) -> None:
    root = tmp_path / "demo"
    shutil.copytree(sample, root)
    PLANTS[rule].step(root)
    locations = {(finding.path, finding.line) for finding in _findings(root, worker_program, rule)}
    place = PLANTS[rule].place(root)
    assert place in locations
    assert place not in {(finding.path, finding.line) for finding in before if finding.rule == rule}


def test_each_rule_is_planted() -> None:
    assert set(PLANTS) == set(RULES)
