"""What `up` refuses before it creates anything."""

from __future__ import annotations

import subprocess

import pytest

from .conftest import User, remains


def test_a_wrong_key_is_reported_before_anything_is_created(user: User) -> None:
    assert user.devloop("init", "demo").status == 0
    other = user.devloop("init", "other")
    assert other.status == 0
    key = next((user.home / "config/devloop/keys/other").glob("local-*.agekey"))
    for path in (user.home / "config/devloop/keys/demo").glob("*"):
        path.unlink()
    failed = user.devloop("-C", "demo", "up", "local", "--age-key-file", str(key))
    assert failed.status == 2
    assert ".enc.yaml" in failed.text
    public = next(line.split()[-1] for line in key.read_text().splitlines() if "public key" in line)
    assert public in failed.text
    assert "AGE-SECRET-KEY" not in failed.text
    assert remains(user) == []


@pytest.mark.parametrize(
    ("prepare", "message", "hint"),
    [
        ("no repository", "is not in a Git repository", "git -C"),
        ("unreadable key", "no-such-file", ""),
        ("cloud", "EKS", "Vanilla"),
        ("other tool", "Deployment", ""),
    ],
)
def test_bad_input_is_exit_code_two_with_a_hint_and_nothing_is_created(user: User, prepare: str, message: str, hint: str) -> None:
    assert user.devloop("init", "demo").status == 0
    definition = user.home / "demo/clusters/local/ksail.yaml"
    args = ["-C", "demo", "up", "local"]
    if prepare == "no repository":
        subprocess.run(["rm", "-r", user.home / "demo/.git"], check=True)
    elif prepare == "unreadable key":
        args += ["--age-key-file", "no-such-file"]
    elif prepare == "cloud":
        definition.write_text(definition.read_text().replace("distribution: Vanilla", "distribution: EKS").replace("Docker", "AWS"))
    else:
        definition.write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n")
    failed = user.devloop(*args)
    assert failed.status == 2, failed.text
    assert message in failed.text
    assert hint in failed.text
    assert remains(user) == []


@pytest.mark.parametrize(("needed", "rule"), [("apps", "graph/dependency-cycle"), ("nowhere", "graph/dependency-missing")])
def test_objects_that_never_become_ready_are_reported_before_anything_is_created(user: User, needed: str, rule: str) -> None:
    assert user.devloop("init", "demo").status == 0
    path = user.home / "demo/k8s/bases/sync/infrastructure-controllers.yaml"
    before = path.read_text()
    path.write_text(before.replace("dependsOn:\n", f"dependsOn:\n    - name: {needed}\n"))
    assert path.read_text() != before
    stopped = user.devloop("-C", "demo", "up", "local", "--output", "json")
    assert stopped.status == 1, stopped.text
    assert rule in {f["rule"] for f in stopped.report["findings"]}
    failed = user.devloop("-C", "demo", "up", "local", "--no-validate", "--output", "json")
    assert failed.status == 2, failed.text
    found = failed.report["findings"]
    assert {f["rule"] for f in found} == {rule}
    assert all(f["line"] and f["path"].startswith("k8s/") for f in found)
    assert remains(user) == []


def test_validation_errors_end_the_run_before_anything_is_created(user: User) -> None:
    assert user.devloop("init", "demo").status == 0
    path = user.home / "demo/k8s/bases/apps/storefront/deployment-web.yaml"
    path.write_text(f"{path.read_text()}  broken: [\n")
    failed = user.devloop("-C", "demo", "up", "local")
    assert failed.status == 1, failed.text
    assert "k8s/bases/apps/storefront/deployment-web.yaml:" in failed.text
    assert "--no-validate" in failed.text
    assert remains(user) == []


def test_an_environment_that_does_not_exist_lists_those_that_do(user: User) -> None:
    assert user.devloop("init", "demo").status == 0
    failed = user.devloop("-C", "demo", "up", "staging")
    assert failed.status == 2
    for name in ("local", "dev", "prod"):
        assert name in failed.err
