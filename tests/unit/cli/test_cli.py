"""The command line: arguments, errors, exit codes, and fast help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.cli.options import SEVERITIES
from devloop.diagnostic import Severity
from devloop.model.commands import COMMANDS


def devloop(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "devloop", *args], cwd=cwd, check=False, text=True, capture_output=True)


@pytest.mark.parametrize("args", [("--help",), ("up", "--help"), ("toolchain", "install", "-h"), ("--version",)])
def test_help_imports_no_slow_packages(args: tuple[str, ...]) -> None:
    code = "import sys; from devloop.cli import run; status = run(sys.argv[1:]); print(*sys.modules, file=sys.stderr); sys.exit(status)"
    done = subprocess.run([sys.executable, "-c", code, *args], check=False, text=True, capture_output=True)
    assert done.returncode == 0
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert loaded.isdisjoint({"kubernetes", "docker", "cryptography", "yaml", "sh", "tenacity", "psutil"})


def test_every_command_is_in_the_help_with_a_summary() -> None:
    text = devloop("--help").stdout
    for command in COMMANDS:
        line = next(line for line in text.splitlines() if line.split()[:1] == [command])
        assert line.endswith("."), line
        assert not line.endswith("..."), line
        assert devloop(command, "--help").returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        "up",
        "sync",
        "watch",
        "status",
        "stop",
        "down",
        "validate",
        "render",
        "doctor",
        "env list",
        "init",
        "toolchain install",
        "toolchain images",
    ],
)
def test_every_option_has_a_help_text(command: str) -> None:
    usage, *lines = devloop(*command.split(), "--help").stdout.splitlines()
    assert "[[" not in usage
    options = [line for line in lines if line.lstrip().startswith("-")]
    described = [line for index, line in enumerate(lines) if line in options and (line[34:].strip() or lines[index + 1][34:].strip())]
    assert len(options) > 0
    assert described == options


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("upp", "local"), "up"),
        (("up",), "ENV"),
        (("up", "local", "--output", "yaml"), "json"),
        (("up", "local", "--timeout", "soon"), "is not a duration"),
        (("-C", "nowhere", "up", "local"), "is not a directory"),
        (("up", "local"), "devloop init"),
        (("toolchain", "install", "etdc"), "did you mean etcd"),
        (("init", "."), "is not empty"),
    ],
)
def test_invalid_arguments_exit_with_two_and_a_reason(tmp_path: Path, args: tuple[str, ...], expected: str) -> None:
    (tmp_path / "something").touch()
    refused = devloop(*args, cwd=tmp_path)
    assert refused.returncode == 2
    assert expected in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("command", ["up", "sync", "watch", "status", "stop", "down", "render", "doctor"])
def test_the_hint_for_an_unknown_environment_works_from_here(tmp_path: Path, command: str) -> None:
    assert devloop("init", "demo", cwd=tmp_path).returncode == 0
    refused = devloop("-C", "demo", command, "nowhere", cwd=tmp_path)
    assert refused.returncode in (1, 2)
    assert "devloop -C demo env list" in refused.stdout + refused.stderr


def test_validating_an_unknown_environment_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text("apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: local}\nspec: {}\n")
    refused = devloop("validate", "--environment", "nope", cwd=tmp_path)
    assert refused.returncode == 2
    assert "local" in refused.stderr


def test_an_input_error_is_a_report_too(tmp_path: Path) -> None:
    folder = tmp_path / "clusters" / "local"
    folder.mkdir(parents=True)
    (folder / "ksail.yaml").write_text("apiVersion: ksail.io/v1alpha1\nkind: Cluster\nspec:\n  cluster: {cni: Cilum, workerz: 1}\n")
    refused = devloop("up", "local", "--output", "json", cwd=tmp_path)
    report = json.loads(refused.stdout)
    assert refused.returncode == 2
    assert (report["command"], report["environment"], report["ok"]) == ("up", "local", False)
    assert [(f["path"], f["line"]) for f in report["findings"]] == [("clusters/local/ksail.yaml", 4)] * 2
    assert "Cilium" in refused.stderr


def test_the_severities_are_those_of_reports() -> None:
    assert tuple(Severity) == SEVERITIES


def test_the_version_is_the_packages() -> None:
    from devloop import __version__

    assert devloop("--version").stdout == f"devloop {__version__}\n"


def test_environments_of_another_repository_are_completed(tmp_path: Path) -> None:
    (tmp_path / "ksail.staging.yaml").write_text("apiVersion: ksail.io/v1alpha1\nkind: Cluster\nspec: {}\n")
    env = {**os.environ, "_DEVLOOP_COMPLETE": "complete_bash", "COMP_WORDS": f"devloop -C {tmp_path} render ", "COMP_CWORD": "4"}
    # The variable is named after the program.
    code = "import sys; sys.argv = ['devloop']; from devloop.cli import run; run([])"
    done = subprocess.run([sys.executable, "-c", code], env=env, check=False, text=True, capture_output=True)
    assert done.stdout.split() == ["staging"], done.stderr


def test_prune_removes_programs_of_other_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    old = tmp_path / "devloop" / "tools" / "kind" / "0.1.0-old" / "kind"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"x" * (3 << 20))
    listed, pruned = devloop("toolchain", "list"), devloop("toolchain", "prune")
    assert "programs of other versions" in listed.stdout
    assert (pruned.returncode, pruned.stderr) == (0, "")
    assert "3 MiB" in pruned.stdout
    assert not old.parent.exists()
    assert "programs of other versions" not in devloop("toolchain", "list").stdout
