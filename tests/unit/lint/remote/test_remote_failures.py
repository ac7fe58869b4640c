"""Remote bases that cannot be fetched or used, and interrupted fetches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from devloop.clients.remote_fetch import Fetcher

from .remotes import HERE, KUSTOMIZATION, PASSWORD, PATIENCE, Check, Files, committed, failures, free_port, git, repository, write


def test_every_failure_has_a_location_and_a_hint(upstream: Path, web: str, check: Check, tmp_path: Path) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    reasons = {
        f"{web}/gone.yaml": "the server says 404 Not Found",
        f"{closed}/a.yaml": "connection refused",
        f"{closed}/a/b.git//c": "failed to connect to 127.0.0.1 port",
        f"file://{upstream}//apps?ref=nowhere": "the repository has no ref nowhere",
        f"file://{tmp_path}/nothing//apps": "does not appear to be a git repository",
    }
    for number, (name, reason) in enumerate(reasons.items()):
        [failure] = failures(check(repository(tmp_path / f"here-{number}", name)))
        assert failure.startswith(f"{HERE} flux-system/apps does not build: cannot fetch {name}: "), failure
        assert reason in failure
        assert not failure.endswith("| "), failure


def test_a_missing_folder_of_the_repository_is_reported(upstream: Path, check: Check, tmp_path: Path) -> None:
    name = f"file://{upstream}//nowhere?ref=main"
    [failure] = failures(check(repository(tmp_path / "here", name)))
    assert failure.startswith(f"{HERE} ")
    assert name in failure
    assert "/remote/" not in failure


def test_a_file_that_is_not_a_manifest_is_reported_with_its_name(web: str, check: Check, tmp_path: Path) -> None:
    Files.files = {"/a.yaml": "a: [\n"}
    report = check(repository(tmp_path / "here", f"{web}/a.yaml"))
    [syntax] = [finding for finding in report.findings if finding.rule in ("yaml/syntax", "build/failed")]
    assert (syntax.path, syntax.line) == ("apps/kustomization.yaml", 4)


def test_a_remote_base_reads_nothing_outside_its_repository(check: Check, tmp_path: Path) -> None:
    text = KUSTOMIZATION + "configMapGenerator: [{name: a, files: [../../source/apps/secret.yaml]}]\n"
    outer = committed(tmp_path / "outer", {"kustomization.yaml": text})
    [failure] = failures(check(repository(tmp_path / "here", f"file://{outer}", apps__secret="a: b\n")))
    assert failure.startswith(f"{HERE} ")
    assert "outside of itself" in failure


def test_a_server_that_does_not_answer_times_out(web: str, check: Check, tmp_path: Path) -> None:
    for number, name in enumerate((f"{web}/hangs.yaml", f"{web}/hangs/a.git//b")):
        [failure] = failures(check(repository(tmp_path / f"here-{number}", name), limit=1.0))
        assert "no answer within 1 s" in failure


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [("validate", "--allow-remote"), ("render", "cluster", "--allow-remote")])
def test_an_interrupt_stops_a_fetch(
    command: tuple[str, ...], number: signal.Signals, worker_program: Path, web: str, tmp_path: Path
) -> None:
    root = repository(tmp_path / "here", f"{web}/hangs/a.git//b")
    write(root, {"cluster/flux-system/gotk-sync.yaml": ""})
    git(root, "init", "--quiet")
    with subprocess.Popen(
        [sys.executable, "-m", "devloop", "-C", str(root), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")},
    ) as run:
        assert Files.silent.wait(PATIENCE), run.communicate()
        started = [child for child in psutil.Process(run.pid).children(recursive=True) if "git" in child.name()]
        run.send_signal(number)
        out, err = run.communicate(timeout=15)
    assert (run.returncode, b"Traceback" in err) == (130, False), (out, err)
    assert not psutil.wait_procs(started, timeout=5)[1]


def test_a_password_in_a_url_is_never_shown(worker_program: Path, tmp_path: Path) -> None:
    root = repository(tmp_path / "here", f"http://me:{PASSWORD}@127.0.0.1:{free_port()}/a.git//b?ref=main")
    write(root, {"cluster/flux-system/gotk-sync.yaml": ""})
    git(root, "init", "--quiet")
    for output in ("text", "json", "sarif", "junit", "github"):
        argv = [sys.executable, "-m", "devloop", "-C", str(root), "validate", "--allow-remote", "--output", output]
        env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
        assert "cannot fetch" in done.stdout
        assert PASSWORD not in done.stdout + done.stderr, output


def test_closing_a_fetcher_does_not_end_the_run(tmp_path: Path) -> None:
    stop = threading.Event()
    Fetcher(tmp_path, stop).close()
    assert not stop.is_set()
