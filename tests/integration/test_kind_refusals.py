"""Reasons why a Kind environment cannot start are reported, and nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from devloop.toolchain import Toolchain

from .conftest import User, remains
from .looking import heals


def test_without_an_engine_there_is_a_hint_and_nothing_is_created(kind_user: User, tmp_path: Path) -> None:
    kind_user.init()
    failed = kind_user.devloop("-C", "demo", "up", "local", DOCKER_HOST=f"unix://{tmp_path}/nothing.sock")
    assert failed.status == 1
    assert "no container engine responds" in failed.text
    assert "--provisioner embedded" in failed.text
    assert remains(kind_user) == []


def test_missing_access_to_the_engine_is_reported() -> None:
    if os.geteuid() != 0:
        pytest.skip("another user can only be taken by root")
    # Import everything first: the other user may not be able to read Python's folder.
    code = """
import os, docker, docker.errors, docker.utils
from devloop.clients.engine import connect
from devloop.errors import DevloopError
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    connect()
except DevloopError as error:
    print(error.message, error.hint)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "may not use the container engine's socket" in run.stdout
    assert "usermod" in run.stdout


def test_a_foreign_cluster_is_kept(kind_user: User, tmp_path: Path) -> None:
    kind_user.init()
    tools, name = Toolchain(), kind_user.cluster
    foreign = kind_user.engine.containers.create(
        image_of_nodes(), name=f"{name}-control-plane", labels={"io.x-k8s.kind.cluster": name, "io.x-k8s.kind.role": "control-plane"}
    )
    assert name in subprocess.run([tools.path("kind"), "get", "clusters"], capture_output=True, text=True, check=True).stdout
    failed = kind_user.devloop("-C", "demo", "up", "local")
    assert failed.status == 1
    assert "was not created by devloop" in failed.text
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    foreign.reload()
    assert foreign.status == "created"


def image_of_nodes() -> str:
    from devloop.clients.engine import connect
    from devloop.images import Images

    images = Images(Toolchain(), connect())
    return images.reference("node") if not images.missing(["node"]) else "kindest/node:v1.36.4"


def test_a_host_port_in_use_is_reported_before_anything_is_created(kind_user: User) -> None:
    repository = kind_user.init()
    text = (repository / "clusters/local/kind.yaml").read_text()
    port = int(text.partition("hostPort: ")[2].split()[0])
    with closing(socket.create_server(("127.0.0.1", port))):
        failed = kind_user.devloop("-C", "demo", "up", "local")
    assert failed.status == 1
    assert f"the host port {port}" in failed.text
    assert not kind_user.engine.containers.list(all=True, filters={"label": f"io.x-k8s.kind.cluster={kind_user.cluster}"})
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(kind_user) == []


def test_a_missing_image_is_reported(kind_user: User) -> None:
    repository = kind_user.init()
    kind_yaml = repository / "clusters/local/kind.yaml"
    kind_yaml.write_text(
        kind_yaml.read_text().replace("- role: control-plane", "- role: control-plane\n    image: localhost:1/nobody/node:v9")
    )
    failed = kind_user.devloop("-C", "demo", "up", "local")
    assert failed.status == 1
    assert "localhost:1 does not answer the container engine, localhost:1/nobody/node:v9 cannot be pulled" in failed.text
    assert "docker pull localhost:1/nobody/node:v9" in failed.text
    assert remains(kind_user) == []


def test_a_version_without_a_node_image_lists_those_that_have_one(kind_user: User) -> None:
    definition = kind_user.init() / "clusters/local/ksail.yaml"
    definition.write_text(re.sub("kubernetesVersion: .*", "kubernetesVersion: v1.20.1", definition.read_text()))
    failed = kind_user.devloop("-C", "demo", "up", "local")
    assert failed.status == 2, failed.text
    assert "there is no node image for Kubernetes v1.20.1" in failed.text
    assert all(f"v{version}" in failed.text for version in Toolchain().node_images())
    assert remains(kind_user) == []


@pytest.mark.parametrize("word", ["cluster", pytest.param("git server", marks=pytest.mark.nightly)])
def test_an_interrupted_up_is_continued(kind_user: User, word: str) -> None:
    kind_user.init()
    run = kind_user.start("-C", "demo", "up", "local")
    assert run.stdout
    for line in run.stdout:
        if word in line or "secrets" in line:
            break
    pause = threading.Event()
    while not kind_user.engine.containers.list(filters={"label": f"io.x-k8s.kind.cluster={kind_user.cluster}"}):
        pause.wait(0.1)
    run.send_signal(signal.SIGINT)
    rest, err = run.communicate(timeout=60)
    assert run.returncode == 130, rest + err
    assert not [p for p in psutil.process_iter() if kind_user.cluster in " ".join(_line(p))]
    heals(kind_user)
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(kind_user) == []


def _line(process: psutil.Process) -> list[str]:
    try:
        found = process.cmdline()
    except psutil.Error:
        return []
    return found if "kind" in " ".join(found[:2]) and "create" in found else []
