"""Hints have the options of the command line, so that they can be pasted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devloop.console import Console
from devloop.console.command_hints import CommandContext
from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.errors import InputError
from devloop.hint import DevloopCommand, Hint, command, instructions, shell
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.doctor.diagnosis import failed
from devloop.model.report import Notice, Outcome, Report, Status

DOWN = "devloop -C 'my repo' down local --definition 'my file.yaml'"
UP = "devloop -C 'my repo' up local --definition 'my file.yaml' --provisioner kind"
HERE = CommandContext.of("local", "my repo", "my file.yaml", "kind")


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (DevloopCommand("up", "local"), UP),
        (instructions("edit and run `", DevloopCommand("up", "local"), "` again"), f"edit and run `{UP}` again"),
        (DevloopCommand("up", "local", ("--recreate",)), f"{UP} --recreate"),
        (instructions(DevloopCommand("down"), ", then ", DevloopCommand("up")), f"{DOWN}, then {UP}"),
        (DevloopCommand("up", "dev"), "devloop -C 'my repo' up dev"),
        (DevloopCommand("doctor"), "devloop -C 'my repo' doctor local --definition 'my file.yaml' --provisioner kind"),
        (DevloopCommand("validate", options=("--environment", "local")), "devloop -C 'my repo' validate --environment local"),
    ],
)
def test_commands_of_devloop_are_completed(hint: Hint, expected: str) -> None:
    assert str(HERE.hint(hint)) == expected
    assert CommandContext().hint(hint) == hint


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (command("devloop -C elsewhere up local"), "devloop -C elsewhere up local"),
        (command("devloop toolchain install kind"), "devloop toolchain install kind"),
        (command("git -C", "my repo", "fsck"), "git -C 'my repo' fsck"),
        (shell("sudo usermod -aG docker $USER && newgrp docker"), "sudo usermod -aG docker $USER && newgrp docker"),
        ("devloop up makes it", "devloop up makes it"),
    ],
)
def test_other_hints_stay(hint: Hint, expected: str) -> None:
    assert HERE.hint(hint) == hint
    assert str(hint) == expected


def test_everything_that_is_shown_is_completed(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(hints=HERE)
    console.emit(Notice("look", Severity.WARNING, DevloopCommand("status", "local")))
    step = Outcome(Status.FAILED, "no", DevloopCommand("down", "local"), title="cluster")
    finding = Diagnostic("bad", Location("x", 1), DevloopCommand("validate"), Severity.ERROR, rule="a/b")
    cause = Cause("object/missing", ObjectRef("ConfigMap", "shop", "a"), "gone", hint=DevloopCommand("up"))
    console.show(Report("up", "local", steps=(step,), findings=(finding,), causes=(cause,)))
    console.show(Report("doctor", "local", diagnoses=(failed("keys", "none", DevloopCommand("doctor", "local")),)))
    console.error(
        InputError(
            "wrong",
            hint=DevloopCommand("up", "local"),
            problems=(Diagnostic.at("a", 1, "b", DevloopCommand("up")), Diagnostic.at("a", 2, "c")),
        )
    )
    captured = capsys.readouterr()
    for name in ("status", "down", "validate", "doctor", "up"):
        assert f"devloop -C 'my repo' {name}" in captured.out
    assert captured.err.count("devloop -C 'my repo' up local --definition 'my file.yaml' --provisioner kind") == 2
    assert "devloop up" not in captured.out + captured.err


def test_hints_have_the_options_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "ksail.yaml").write_text("apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: local}\nspec: {}\n")
    argv = [sys.executable, "-m", "devloop", "-C", "repo", "status", "local", "--provisioner", "embedded"]
    done = subprocess.run(argv, cwd=tmp_path, env={"HOME": str(tmp_path), "PATH": ""}, check=False, text=True, capture_output=True)
    assert done.returncode == 1
    assert "hint: devloop -C repo up local --provisioner embedded\n" in done.stdout
