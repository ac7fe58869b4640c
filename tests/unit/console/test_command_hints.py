"""Hints can be pasted where the user stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devloop.console import Console
from devloop.console.command_hints import CommandContext
from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.errors import InputError
from devloop.model.doctor.diagnosis import failed
from devloop.model.report import Notice, Outcome, Report, Status

DOWN = "devloop -C 'my repo' down local --definition 'my file.yaml'"
UP = "devloop -C 'my repo' up local --definition 'my file.yaml' --provisioner kind"
HERE = CommandContext.of("local", "my repo", "my file.yaml", "kind")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("devloop up local", "devloop -C 'my repo' up local --definition 'my file.yaml' --provisioner kind"),
        (
            "edit and run `devloop up local` again",
            "edit and run `devloop -C 'my repo' up local --definition 'my file.yaml' --provisioner kind` again",
        ),
        ("devloop up local --recreate", "devloop -C 'my repo' up local --definition 'my file.yaml' --provisioner kind --recreate"),
        (
            "devloop down, then devloop up",
            f"{DOWN}, then {UP}",
        ),
        ("devloop up dev", "devloop -C 'my repo' up dev"),
        ("devloop doctor", "devloop -C 'my repo' doctor local --definition 'my file.yaml' --provisioner kind"),
        ("devloop validate --environment local", "devloop -C 'my repo' validate --environment local"),
        ("devloop -C elsewhere up local", "devloop -C elsewhere up local"),
        ("devloop toolchain install kind", "devloop toolchain install kind"),
        ("devloop init demo", "devloop init demo"),
        ("kubectl get pods", "kubectl get pods"),
    ],
)
def test_commands_are_completed(text: str, said: str) -> None:
    assert HERE.text(text) == said
    assert CommandContext().text(text) == text


def test_everything_that_is_shown_is_completed(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(spoken=HERE)
    console.emit(Notice("look", Severity.WARNING, "devloop status local"))
    step = Outcome(Status.FAILED, "no", "devloop down local", title="cluster")
    finding = Diagnostic("bad", Location("x", 1), "devloop validate", Severity.ERROR, rule="a/b")
    console.show(Report("up", "local", steps=(step,), findings=(finding,)))
    console.show(Report("doctor", "local", diagnoses=(failed("keys", "none", "devloop doctor local"),)))
    console.error(
        InputError("wrong", hint="devloop up local", problems=(Diagnostic.at("a", 1, "b", "devloop up"), Diagnostic.at("a", 2, "c")))
    )
    captured = capsys.readouterr()
    for command in ("status", "down", "validate", "doctor", "up"):
        assert f"devloop -C 'my repo' {command}" in captured.out
    assert captured.err.count("devloop -C 'my repo' up local --definition 'my file.yaml' --provisioner kind") == 2
    assert "devloop up" not in captured.out + captured.err


def test_the_command_line_says_commands_as_it_was_called(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "ksail.yaml").write_text("apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: local}\nspec: {}\n")
    argv = [sys.executable, "-m", "devloop", "-C", "repo", "status", "local", "--provisioner", "embedded"]
    done = subprocess.run(argv, cwd=tmp_path, env={"HOME": str(tmp_path), "PATH": ""}, check=False, text=True, capture_output=True)
    assert done.returncode == 1
    assert "hint: devloop -C repo up local --provisioner embedded\n" in done.stdout
