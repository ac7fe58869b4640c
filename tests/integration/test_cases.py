"""Real-world repositories, as far as they can run without a registry."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import User

CASES = Path(__file__).parents[3] / "shared" / "cases"


def test_a_repository_of_the_first_generation_comes_up_to_what_cannot_be_fetched(user: User) -> None:
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is not here")
    repository = user.home / "pinniped-poc"
    shutil.copytree(CASES / "pinniped-poc", repository)
    subprocess.run(["git", "init", "-q", repository], check=True)
    checked = user.devloop("-C", "pinniped-poc", "validate", "--output", "json")
    assert checked.status == 0, checked.text
    run = user.devloop("-C", "pinniped-poc", "up", "local", "--timeout", "25s", "--output", "json")
    assert run.status == 1, run.text
    by_name = {k["name"]: k for k in run.report["kustomizations"]}
    # Its sources are OCIRepositories and its paths are relative to k8s/: neither is changed in the repository.
    assert by_name["flux-system"]["ready"], by_name["flux-system"]["message"]
    assert "paths are relative to k8s/" in {step["message"] for step in run.report["steps"]}
    controllers = by_name["infrastructure-controllers"]
    assert not controllers["ready"]
    assert {(cause["id"], cause["object"]["namespace"]) for cause in run.report["causes"]} == {
        ("source/failed", "cert-manager"),
        ("source/failed", "traefik"),
        ("release/chart-missing", "pinniped"),  # from an OCI registry, which is not queried before there is a release
    }
    assert by_name["infrastructure"]["reason"] == by_name["apps"]["reason"] == "DependencyNotReady"
    assert "3 of 4 Kustomizations are not ready" in run.err
    assert user.devloop("-C", "pinniped-poc", "down", "local").status == 0


@pytest.mark.parametrize(
    ("case", "environment", "message"),
    [
        ("platform-template", "prod", "Hetzner"),
        ("flux2-multi-tenancy", "local", "it has production and staging"),
        ("flux2-kustomize-helm-example", "local", "it has production and staging"),
    ],
)
def test_unsupported_input_is_reported(user: User, case: str, environment: str, message: str) -> None:
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is not here")
    failed = user.devloop("-C", str(CASES / case), "up", environment)
    assert failed.status == 2, failed.text
    assert message in failed.text
