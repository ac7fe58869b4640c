"""Definitions that cannot be read, or that lie outside the repository."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from devloop.repository.environments import environments, find_root

from .definitions import HEAD, refusal, write


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spec: {workload: {sourceDirectory: ../x}}", "spec.workload.sourceDirectory is '../x', which is outside the repository"),
        ("spec: {workload: {sourceDirectory: /etc}}", "spec.workload.sourceDirectory is '/etc', which is outside the repository"),
        ("spec: {workload: {sourceDirectory: link}}", "spec.workload.sourceDirectory is 'link', which is outside the repository"),
        ("spec: {project: {kustomizationPath: ../k8s}}", "spec.project.kustomizationPath is '../k8s', which is outside the repository"),
        ("spec: {project: {kustomizationPath: /k8s}}", "spec.project.kustomizationPath is '/k8s', which is outside the repository"),
        (
            "spec: {cluster: {distributionConfig: /etc/hostname}}",
            "spec.cluster.distributionConfig names '/etc/hostname', which is outside the repository",
        ),
    ],
)
def test_nothing_is_read_outside_the_repository(tmp_path: Path, text: str, message: str) -> None:
    root = write(tmp_path / "repo", {"ksail.yaml": HEAD + text + "\n"})
    (root / "link").symlink_to("/etc")
    assert refusal(root, "local") == [f"ksail.yaml:3: {message}"]


def test_a_directory_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "clusters" / "local" / "ksail.yaml").mkdir(parents=True)
    assert refusal(tmp_path, "local") == ["clusters/local/ksail.yaml: this is a directory, not a file"]
    shutil.rmtree(tmp_path / "clusters")
    write(tmp_path, {"ksail.yaml": HEAD})
    (tmp_path / "kind.yaml").mkdir()
    assert refusal(tmp_path, "local") == ["kind.yaml: this is a directory, not a file"]


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").symlink_to("ksail.yaml")
    assert find_root(tmp_path) == tmp_path
    assert environments(tmp_path) == ("local",)
    assert refusal(tmp_path, "local") == ["ksail.yaml: the link leads back to itself | replace it with a file"]
    (tmp_path / "ksail.yaml").unlink()
    (tmp_path / "ksail.yaml").symlink_to("nowhere")
    assert refusal(tmp_path, "local") == ["ksail.yaml: the file does not exist"]


def test_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ksail.yaml")
    assert refusal(tmp_path, "local") == ["ksail.yaml: this is a device, a pipe or a socket, not a file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    write(tmp_path, {"ksail.yaml": HEAD})
    (tmp_path / "ksail.yaml").chmod(0)
    assert refusal(tmp_path, "local") == ["ksail.yaml: the file cannot be read: permission denied | allow it with `chmod u+r ksail.yaml`"]


def test_content_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "ksail.yaml"
    path.write_bytes(HEAD.encode() + b"# caf\xe9\n")
    assert refusal(tmp_path, "local") == ["ksail.yaml:3: the file is not UTF-8 | convert it with `iconv -f latin1 -t utf-8`"]
    path.write_bytes(HEAD.encode("utf-16"))
    assert refusal(tmp_path, "local")[0].startswith("ksail.yaml:1: the file is not UTF-8")
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    assert refusal(tmp_path, "local") == ["ksail.yaml: the file has more than 1024 KiB"]
    path.write_bytes(b"")
    assert refusal(tmp_path, "local") == ["ksail.yaml: the file is empty"]
