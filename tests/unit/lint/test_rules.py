"""Every rule against its fixtures: pass, where it finds nothing, and fail, where it finds what expected.txt lists, one finding per line.

Each folder is a repository that is validated as a whole; without a definition it has one environment with the entry path cluster/.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from devloop.clients.worker import Worker
from devloop.diagnostic import Severity
from devloop.lint import rules
from devloop.lint.explanation import explain
from devloop.lint.rules import RULES
from devloop.lint.run import preflight, validate
from devloop.lint.scope import LintScope, load_scope
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.model.lint.context import EnvironmentGraph
from devloop.repository.graph import build_graph

FIXTURES = Path(__file__).parents[2] / "rules"
DOCS = Path(__file__).parents[3] / "docs" / "rules.md"


def findings(rule: str, side: str, worker_program: Path) -> list[str]:
    """The rule's findings in the fixture; all other rules run as well."""
    scope = fixture(rule, side)
    with Worker(worker_program, scope.root) as worker:
        report = validate(scope, worker)
    return [f"{f.path}:{f.line}: {f.message}" for f in report.findings if f.rule == rule]


def fixture(rule: str, side: str) -> LintScope:
    folder = FIXTURES / rule / side
    assert folder.is_dir(), f"{rule} has no fixture {side}"
    scope = load_scope(folder)
    is_plain = not scope.environments and not scope.problems and (folder / "cluster").is_dir()
    return replace(scope, environments=(_environment(folder),)) if is_plain else scope


def _environment(folder: Path) -> Environment:
    return Environment("local", folder, ClusterDefinition("local", "G3", "ksail.yaml", source_directory=".", entry_path="cluster"))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_nothing_where_nothing_is_wrong(rule: str, worker_program: Path) -> None:
    assert findings(rule, "pass", worker_program) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_what_is_planted(rule: str, worker_program: Path) -> None:
    assert findings(rule, "fail", worker_program) == (FIXTURES / rule / "fail" / "expected.txt").read_text().splitlines()


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.startswith("graph/")])
def test_up_reports_what_is_wrong_with_its_environment(rule: str, worker_program: Path) -> None:
    scope = fixture(rule, "fail")
    with Worker(worker_program, scope.root) as worker:
        found = [finding for finding in validate(scope, worker).findings if finding.severity is not Severity.INFO]
        for environment in scope.environments:
            reported = preflight(EnvironmentGraph(environment, build_graph(environment, worker)), worker)
            expected = [finding for finding in found if finding.rule == rule and environment.name in finding.environments]
            assert {str(finding.location) for finding in expected} <= {str(finding.location) for finding in reported}


def test_messages_are_templates_with_arguments() -> None:
    for path in Path(rules.__file__).parent.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        texts = [argument for call in calls if _makes_a_diagnostic(call) for argument in call.args]
        assert not [text.lineno for text in texts if isinstance(text, ast.JoinedStr)], path


def _makes_a_diagnostic(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("diagnostic", "about", "of")


def test_the_family_in_the_id_of_a_rule_is_its_module() -> None:
    modules = {name: rule.check.__module__.removeprefix("devloop.lint.rules.").split(".")[0] for name, rule in RULES.items()}
    assert modules == {name: name.partition("/")[0] for name in RULES}


def test_all_explains_every_rule() -> None:
    assert [explanation.name for explanation in explain("all")] == list(RULES)


def test_every_folder_of_fixtures_belongs_to_a_rule() -> None:
    assert {str(folder.relative_to(FIXTURES)) for folder in FIXTURES.glob("*/*")} == set(RULES)


def test_the_documentation_agrees_with_the_rules() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| (.+?) \| (.+?) \|$", DOCS.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted((name, rule.severity.value, rule.reason, rule.fix) for name, rule in RULES.items())
