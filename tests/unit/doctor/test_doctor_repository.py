"""The doctor's checks of a repository and its environments."""

from __future__ import annotations

import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from devloop.clients.xdg import cache_folder
from devloop.doctor import examine
from devloop.model.doctor.diagnosis import Level

from .contexts import by_check, patient

DEFINITION = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: local}\nspec:\n  cluster: {cni: CNI}\n"


KIND = """\
apiVersion: kind.x-k8s.io/v1alpha4
kind: Cluster
nodes: [{role: control-plane, extraPortMappings: [{containerPort: 1, hostPort: PORT}]}]
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder().parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    root = tmp_path / "repository"
    (root / "k8s").mkdir(parents=True)
    (root / "ksail.yaml").write_text(DEFINITION.replace("CNI", "Default"))
    (root / "k8s" / "kustomization.yaml").write_text("resources: []\n")
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


def test_a_port_that_the_definition_maps_is_taken(repository: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        (repository / "kind.yaml").write_text(KIND.replace("PORT", str(listener.getsockname()[1])))
        taken = by_check(examine(patient(repository, "local", provisioner="kind")))["ports"]
        minor = by_check(examine(patient(repository, "local", provisioner="embedded")))["ports"]
    assert (taken.level, minor.level) == (Level.FAILED, Level.WARNING)
    # Whose it is: ours, or a process that was being started meanwhile and shared the socket for a moment.
    assert "is in use by" in taken.message
    assert "(process " in taken.message
    assert "kind.yaml" in str(taken.hint)


def test_a_definition_that_is_wrong_is_told_with_its_line_and_what_hangs_on_it_is_left_out(repository: Path) -> None:
    (repository / "ksail.yaml").write_text(DEFINITION.replace("CNI", "Cilum"))
    found = by_check(examine(patient(repository, "local")))
    assert found["definition"].level is Level.FAILED
    assert "ksail.yaml:5" in found["definition"].message
    assert "Cilium" in str(found["definition"].hint)
    assert found["repository"].level is Level.OK
    assert {"ports", "keys"}.isdisjoint(found)


def test_a_name_that_is_none_and_a_folder_without_a_definition_are_failed_lines(repository: Path, tmp_path: Path) -> None:
    assert "did you mean local" in str(by_check(examine(patient(repository, "locl")))["definition"].hint)
    (tmp_path / "empty").mkdir()
    lost = by_check(examine(patient(tmp_path / "empty", "local")))
    assert lost["definition"].level is Level.FAILED
    assert "devloop init" in str(lost["definition"].hint)


def test_a_repository_that_flux_cannot_read_or_that_is_none(repository: Path) -> None:
    subprocess.run(["rm", "-rf", repository / ".git"], check=True)
    assert "git -C" in str(by_check(examine(patient(repository, "local")))["repository"].hint)
    subprocess.run(["git", "init", "-q", "--object-format=sha256", repository], check=True)
    assert "SHA-256" in by_check(examine(patient(repository, "local")))["repository"].message


def test_a_key_that_is_missing_wrong_or_right(repository: Path, tmp_path: Path, sops_program: Path, worker_program: Path) -> None:
    from devloop.clients.sops import encrypt, new_key_pair

    (public, private), (_, other) = new_key_pair(), new_key_pair()
    (repository / ".sops.yaml").write_text(f"creation_rules: [{{age: {public}, encrypted_regex: ^data$}}]\n")
    secret = b"apiVersion: v1\nkind: Secret\nmetadata: {name: x, namespace: y}\ndata: {a: Yg==}\n"
    (repository / "k8s" / "secret.enc.yaml").write_bytes(encrypt(sops_program, repository, "k8s/secret.enc.yaml", secret))
    (repository / "k8s" / "kustomization.yaml").write_text("resources: [secret.enc.yaml]\n")
    missing = by_check(examine(patient(repository, "local")))["keys"]
    assert (missing.level, missing.message) == (Level.FAILED, "no Age key for k8s/secret.enc.yaml")
    (tmp_path / "wrong.agekey").write_text(other)
    (tmp_path / "wrong.agekey").chmod(0o600)
    wrong = by_check(examine(patient(repository, "local", key_file=tmp_path / "wrong.agekey")))["keys"]
    assert wrong.level is Level.FAILED
    assert "encrypted for other keys; tried --age-key-file" in wrong.message
    (tmp_path / "right.agekey").write_text(private)
    (tmp_path / "right.agekey").chmod(0o644)
    diagnoses = [d for d in examine(patient(repository, "local", key_file=tmp_path / "right.agekey")) if d.check == "keys"]
    assert [d.level for d in diagnoses] == [Level.OK, Level.WARNING]
    assert str(tmp_path / "right.agekey") in diagnoses[0].message
    assert str(diagnoses[1].hint) == f"chmod 600 {tmp_path}/right.agekey"
    assert private not in str(diagnoses) + str(wrong)
