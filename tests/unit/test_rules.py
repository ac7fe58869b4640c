"""Every rule against its fixtures: a folder where it finds nothing, and one where it finds what expected.txt lists, one finding a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.clients.worker import Worker
from devloop.model.definition import ClusterDefinition
from devloop.model.environment import Environment
from devloop.model.report import Report
from devloop.rules import RULES
from devloop.validation import validate

FIXTURES = Path(__file__).parent.parent / "rules"


def check(rule: str, side: str, worker_program: Path) -> Report:
    """The fixture as a repository whose entry path is cluster/, with this rule alone."""
    folder = FIXTURES / rule / side
    definition = ClusterDefinition("local", "G3", "ksail.yaml", source_directory=".", entry_path="cluster")
    with Worker(worker_program, folder) as worker:
        return validate([Environment("local", folder, definition)], worker, rules={rule: RULES[rule]})


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_nothing_where_nothing_is_wrong(rule: str, worker_program: Path) -> None:
    report = check(rule, "pass", worker_program)
    assert (report.findings, report.ok) == ((), True)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_what_is_planted(rule: str, worker_program: Path) -> None:
    found = [f"{f.path}:{f.line}: {f.message}" for f in check(rule, "fail", worker_program).findings]
    assert found == (FIXTURES / rule / "fail" / "expected.txt").read_text().splitlines()


def test_every_folder_of_fixtures_belongs_to_a_rule() -> None:
    folders = {str(folder.relative_to(FIXTURES)) for folder in FIXTURES.glob("*/*")}
    assert folders == set(RULES)
