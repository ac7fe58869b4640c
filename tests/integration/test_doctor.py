"""The doctor on this machine: without an environment, with a running one, and with typical mistakes."""

from __future__ import annotations

import shutil
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import docker
import pytest

from .conftest import Run, User, remains

NOWHERE = {"DOCKER_HOST": "tcp://127.0.0.1:1"}


def lines(run: Run) -> dict[str, dict[str, Any]]:
    """The last line of each check."""
    return {line["check"]: line for line in run.report["checks"]}


def test_the_doctor_checks_a_running_environment(user: User) -> None:
    """Its context, its API server's clock and its certificates."""
    assert user.devloop("init", "demo").status == 0
    before = lines(user.devloop("-C", "demo", "doctor", "local", "--provisioner", "embedded", "--output", "json", **NOWHERE))
    assert before["clock"]["message"] == "sane"
    assert before["keys"]["status"] == "ok"
    assert str(user.home / "config") in before["keys"]["message"]
    assert "does not exist yet" in before["kubeconfig"]["message"]
    assert user.devloop("-C", "demo", "up", "local").status == 0
    run = user.devloop("-C", "demo", "doctor", "local", "--provisioner", "embedded", "--output", "json", **NOWHERE)
    after = lines(run)
    assert run.status == 0, run.text
    assert "the API server" in after["clock"]["message"]
    assert "every certificate" in after["clock"]["message"]
    assert after["kubeconfig"]["message"].endswith("current context devloop-local")
    assert user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(user) == []


def test_problems_exit_with_one_and_a_hint(user: User, tmp_path: Path) -> None:
    assert user.devloop("init", "demo").status == 0
    shutil.rmtree(user.home / "config")
    (user.home / "kubeconfig").write_text("apiVersion: v1\nkind: Config\n")
    (user.home / "kubeconfig").chmod(0o400)
    with ExitStack() as listening:
        # It is fine if another program already listens there.
        with suppress(OSError):
            listening.enter_context(socket.create_server(("127.0.0.1", 8080)))
        run = user.devloop("-C", "demo", "doctor", "local", "--provisioner", "kind", "--output", "json", **NOWHERE)
    checks = lines(run)
    assert (run.status, run.report["ok"]) == (1, False)
    hints = {"engine": "unset DOCKER_HOST", "kubeconfig": "chmod u+w", "ports": "sudo ss -lpn", "keys": "--age-key-file FILE"}
    for check, hint in hints.items():
        assert checks[check]["status"] == "failed", checks[check]
        assert hint in checks[check]["hint"]
    assert "connection refused" in checks["engine"]["message"]
    assert user.devloop("-C", "demo", "status", "local").status == 1


def test_the_engine_of_this_machine_is_described() -> None:
    from docker.errors import DockerException

    from devloop.clients.engine import facts as engine_facts
    from devloop.model.doctor.engine import EngineFacts

    try:
        info = docker.from_env().info()
    except DockerException:
        pytest.skip("there is no container engine")
    facts = engine_facts.read_engine_facts(10.0)
    assert isinstance(facts, EngineFacts)
    assert (facts.version, facts.storage, facts.runtime) == (info["ServerVersion"], info["Driver"], info["DefaultRuntime"])
    assert facts.root == info["DockerRootDir"]
    assert abs(facts.time - time.time()) < 60
