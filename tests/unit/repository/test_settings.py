"""devloop.yaml: what it may say, and how what it may not say is answered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.errors import InputError
from devloop.lint.rules.exemptions import covers, is_valid
from devloop.model.lint.settings import Exemption, Settings
from devloop.repository.settings import load_settings, read_settings

RULES = ("graph/path-missing", "graph/cycle", "labels/required")


def test_a_repository_needs_no_settings(tmp_path: Path) -> None:
    assert load_settings(tmp_path, RULES) == Settings()
    (tmp_path / "devloop.yaml").write_text("# nothing yet\n\n")
    assert load_settings(tmp_path, RULES) == Settings()


def test_everything_that_may_be_said_is_read() -> None:
    settings = read_settings(
        """
severities: {labels/*: warning, graph/cycle: off}
labels: {required: [team], kinds: [Deployment]}
names: [{pattern: "[a-z]+", kinds: [Namespace], example: blue}]
exemptions:
  - {rule: graph/*, path: k8s/*, object: Kustomization/*, reason: soon, expires: 2030-12-31}
""",
        RULES,
    )
    assert settings.severity("labels/required") is Severity.WARNING
    assert settings.is_off("graph/cycle") and not settings.is_off("graph/path-missing")
    assert (settings.labels.names, settings.labels.kinds) == (("team",), ("Deployment",))
    assert [(n.pattern.text, n.kinds, n.example) for n in settings.names] == [("[a-z]+", ("Namespace",), "blue")]
    assert settings.exemptions == (Exemption("graph/*", "soon", "k8s/*", "Kustomization/*", date(2030, 12, 31), 6),)


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("severity: {}", 1, "unknown key severity", "did you mean severities?"),
        ("severities:\n  graph/cycles: off", 2, "there is no rule 'graph/cycles'", "did you mean graph/cycle?"),
        ("severities:\n  graph/*: fatal", 2, "the severity of graph/* is 'fatal', allowed: error, warning, info, off", ""),
        (
            "severities:\n  graph/*: warnin",
            2,
            "the severity of graph/* is 'warnin', allowed: error, warning, info, off",
            "did you mean warning?",
        ),
        ("severities: [off]", 1, "severities must be a mapping of texts, not a list", ""),
        ("exemptions:\n- rule: graph/*", 2, "exemptions[0].reason is missing", "add reason"),
        ("exemptions:\n- rule: graph/*\n  reason: ' '", 3, "exemptions[0].reason is ' ', it must be a text that is not empty", ""),
        (
            "exemptions:\n- {rule: graph/*, reason: x, expires: soon}",
            2,
            "exemptions[0].expires is 'soon', it must be a day like 2030-12-31",
            "",
        ),
        ("exemptions:\n- {rule: graph/*, reason: x, expires: 2030-02-30}", 2, "'2030-02-30' is not a valid date", ""),
        ("names:\n- pattern: '[a-z'", 2, "this is not a regular expression: missing ]: '[a-z'", ""),
        ("names:\n- {pattern: '[a-z]+', example: A}", 2, "the example 'A' does not match the pattern", ""),
        ("a: b\n---\nc: d", 3, "a second document starts here", "use one document per file: move this one to its own file"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        read_settings(text, RULES)
    [problem] = caught.value.problems
    assert (problem.path, problem.line, problem.message, str(problem.hint)) == ("devloop.yaml", line, message, hint)


def test_the_longest_pattern_decides() -> None:
    settings = Settings({"*": "off", "graph/*": "info", "graph/cycle": "error"})
    assert settings.is_off("labels/required")
    assert settings.severity("graph/path-missing") is Severity.INFO
    assert settings.severity("graph/cycle") is Severity.ERROR


@pytest.mark.parametrize(
    ("exemption", "covered"),
    [
        (Exemption("graph/*", "x"), True),
        (Exemption("labels/*", "x"), False),
        (Exemption("graph/cycle", "x", path="k8s/*"), True),
        (Exemption("graph/cycle", "x", path="clusters/*"), False),
        (Exemption("graph/cycle", "x", object="Kustomization/*/apps"), True),
        (Exemption("graph/cycle", "x", object="Kustomization/*/app"), False),
    ],
)
def test_an_exemption_covers_what_all_its_patterns_match(exemption: Exemption, covered: bool) -> None:
    finding = Diagnostic("x", Location("k8s/dev/apps.yaml", 3, "Kustomization", "apps", namespace="flux-system"), rule="graph/cycle")
    assert covers(exemption, finding) is covered


def test_the_last_day_counts() -> None:
    exemption = Exemption("graph/*", "x", expires=date(2030, 12, 31))
    assert [is_valid(exemption, day) for day in (date(2030, 12, 31), date(2031, 1, 1))] == [True, False]
