"""The loop of a user: init, up, edit, up, failures, down; with real control plane, Flux, Git and SOPS."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from devloop.provisioners import PROVISIONERS

from .conftest import User, clean_up, remains
from .looking import at_rest, containers_of, events_of, secrets_of

CHAIN = ["flux-system", "variables", "infrastructure-controllers", "infrastructure", "apps"]


@pytest.fixture(scope="module", params=PROVISIONERS)
def demo(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[tuple[User, Path]]:
    """The running sample on each provisioner; tests that share it leave it healthy."""
    user = User(tmp_path_factory.mktemp("demo"), request.param)
    user.init()
    up = user.devloop("-C", "demo", "up", "local", "--output", "json")
    if up.status:
        user.devloop("-C", "demo", "down", "local")
    assert up.status == 0, up.text
    yield user, user.home / "demo"
    stop = user.devloop("-C", "demo", "stop", "local")
    down = user.devloop("-C", "demo", "down", "local")  # of a stopped environment; others remove running ones
    left = remains(user)
    clean_up(user)
    assert (stop.status, down.status, left) == (0, 0, []), stop.text + down.text


def test_the_sample_is_healthy_with_its_secrets_decrypted_and_all_deployments_available(demo: tuple[User, Path]) -> None:
    user, _ = demo
    report = user.devloop("-C", "demo", "up", "local", "--output", "json").report
    assert report["ok"] is True
    assert sorted(k["name"] for k in report["kustomizations"]) == sorted(CHAIN)
    assert {k["revision"] for k in report["kustomizations"]} == {report["revision"]}
    assert all(k["ready"] for k in report["kustomizations"])
    deployments = json.loads(user.kubectl("get", "deployments", "-A", "-o", "json"))["items"]
    assert len(deployments) >= 5
    assert all(d["status"]["availableReplicas"] == d["spec"]["replicas"] for d in deployments)
    secrets = json.loads(user.kubectl("get", "secrets", "-A", "-l", "kustomize.toolkit.fluxcd.io/name", "-o", "json"))["items"]
    values = [base64.b64decode(value).decode() for secret in secrets for value in secret["data"].values()]
    assert values
    assert not any(value.startswith("ENC[") for value in values)


def test_a_sync_reconciles_what_an_edit_affects(demo: tuple[User, Path]) -> None:
    user, repository = demo
    path = repository / "k8s/bases/apps/storefront/kustomization.yaml"
    before = path.read_text()
    at_rest(user)
    try:
        path.write_text(before.replace("PAGE_SIZE=20", "PAGE_SIZE=21"))
        edited = user.devloop("-C", "demo", "sync", "local", "--output", "json")
    finally:
        path.write_text(before)
    at_rest(user)
    restored = user.devloop("-C", "demo", "sync", "local", "--output", "json")
    for run in (edited, restored):
        assert run.status == 0, run.text
        assert [step["message"] for step in run.report["steps"] if step["title"] == "affected"] == ["flux-system/apps"]


def test_a_second_up_changes_nothing(demo: tuple[User, Path]) -> None:
    user, _ = demo
    first, second = (user.devloop("-C", "demo", "up", "local", "--output", "json").report for _ in range(2))
    assert first["revision"] == second["revision"]
    assert {s["status"] for s in second["steps"]} == {"unchanged"}, second["steps"]


def test_the_doctor_checks_a_running_environment(demo: tuple[User, Path]) -> None:
    """Its context, its API server's clock, its certificates, and that it is the one that has its ports."""
    user, _ = demo
    run = user.devloop("-C", "demo", "doctor", "local", "--output", "json")
    checks = {line["check"]: line["message"] for line in run.report["checks"]}
    assert run.status == 0, run.text
    assert "the API server and every certificate" in checks["clock"]
    assert checks["kubeconfig"].startswith(str(user.home / "kubeconfig"))
    assert f"-{user.cluster}" in checks["kubeconfig"]
    assert "is used by this environment" in checks["ports"] if user.provisioner == "kind" else "is free" in checks["ports"]
    assert "can be decrypted" in checks["keys"]


def test_an_uncommitted_edit_reaches_the_cluster_and_leaves_index_and_head_alone(demo: tuple[User, Path]) -> None:
    user, repository = demo
    path = repository / "k8s/clusters/local/variables/config-map.yaml"
    before = path.read_text()
    head = _git(repository, "rev-parse", "HEAD")
    path.write_text(before.replace("\ndata:\n", "\ndata:\n  edited_by_test: uncommitted\n"))
    try:
        report = user.devloop("-C", "demo", "up", "local", "--output", "json").report
        assert report["ok"]
        assert "uncommitted" in user.kubectl("get", "configmaps", "-n", "flux-system", "-o", "yaml")
        assert _git(repository, "rev-parse", "HEAD") == head
        assert _git(repository, "diff", "--cached", "--name-only") == ""
    finally:
        path.write_text(before)
    assert user.devloop("-C", "demo", "up", "local").status == 0
    assert "uncommitted" not in user.kubectl("get", "configmaps", "-n", "flux-system", "-o", "yaml")


def test_a_manifest_that_the_cluster_refuses_is_reported_with_fluxs_message_and_its_dependents(demo: tuple[User, Path]) -> None:
    user, repository = demo
    path = repository / "k8s/clusters/local/infrastructure/kustomization.yaml"
    before = path.read_text()
    path.write_text(
        before
        + "\npatches:\n  - target: {kind: Deployment, name: monitor}\n    patch: |\n      - {op: add, path: /spec/replicas, value: many}\n"
    )
    if "\npatches:" in before:
        path.write_text(
            before.replace(
                "\npatches:",
                "\npatches:\n  - target: {kind: Deployment}\n    patch: |\n      - {op: add, path: /spec/replicas, value: many}",
                1,
            )
        )
    try:
        failed = user.devloop("-C", "demo", "up", "local", "--no-validate", "--output", "json", "--timeout", "60s")
        by_name = {k["name"]: k for k in failed.report["kustomizations"]}
        assert failed.status == 1
        assert by_name["variables"]["ready"]
        assert not by_name["infrastructure"]["ready"]
        assert "monitor" in by_name["infrastructure"]["message"]
        assert by_name["apps"]["reason"] == "DependencyNotReady"
        shown = user.devloop("-C", "demo", "status", "local")
        assert shown.status == 1
        assert "flux-system/infrastructure blocks flux-system/apps" in shown.out
    finally:
        path.write_text(before)
    assert user.devloop("-C", "demo", "up", "local").status == 0


def test_a_missing_path_is_reported_at_once(demo: tuple[User, Path]) -> None:
    user, repository = demo
    path = repository / "k8s/clusters/local/kustomization.yaml"
    before = path.read_text()
    patch = "- target: {kind: Kustomization, name: apps}\n    patch: |\n      - {op: replace, path: /spec/path, value: ./k8s/nowhere}\n"
    path.write_text(before.replace("patches:\n", f"patches:\n  {patch}", 1) if "patches:\n" in before else f"{before}\npatches:\n  {patch}")
    try:
        failed = user.devloop("-C", "demo", "up", "local", "--no-validate", "--output", "json", "--timeout", "60s")
        assert failed.status == 1
        apps = next(k for k in failed.report["kustomizations"] if k["name"] == "apps")
        assert "nowhere" in apps["message"]
        checked = user.devloop("-C", "demo", "validate", "--environment", "local", "--output", "json")
        assert checked.status == 1
        assert [f["rule"] for f in checked.report["findings"]] == ["graph/path-missing"]
    finally:
        path.write_text(before)
    assert user.devloop("-C", "demo", "up", "local").status == 0


def test_status_is_the_same_tree_and_changes_nothing(demo: tuple[User, Path]) -> None:
    user, _ = demo
    shown = user.devloop("-C", "demo", "status", "local")
    assert shown.status == 0, shown.text
    assert "5 of 5 Kustomizations ready" in shown.out
    assert "MiB" in shown.out


def test_up_repairs_killed_components(demo: tuple[User, Path]) -> None:
    user, _ = demo
    user.kubectl("create", "configmap", "kept", "-n", "default")
    if user.provisioner == "kind":
        user.engine.containers.get(f"{user.cluster}-control-plane").kill()
    else:
        for process in _processes(user, "supervisor") + _processes(user, "kube-apiserver"):
            process.kill()
    healed = user.devloop("-C", "demo", "up", "local")
    assert healed.status == 0, healed.text
    assert "kept" in user.kubectl("get", "configmap", "kept", "-n", "default", "-o", "name")


def test_a_stopped_environment_uses_no_processor_and_is_continued_with_an_edit(demo: tuple[User, Path]) -> None:
    user, repository = demo
    user.kubectl("create", "configmap", "stays", "-n", "default")
    before = _starts(user)
    stopped = [user.devloop("-C", "demo", "stop", "local", "--output", "json").report["steps"][0]["status"] for _ in range(2)]
    assert stopped == ["changed", "unchanged"]
    assert _running(user) == []
    status = user.devloop("-C", "demo", "status", "local")
    assert status.status == 1
    assert "local is stopped" in status.out
    assert "devloop -C demo up local" in status.out
    listed = json.loads(user.devloop("env", "list", "--running", "--output", "json").out)["environments"]
    assert [each["state"] for each in listed if each["repository"] == str(repository)] == ["stopped"]

    path = repository / "k8s/clusters/local/variables/config-map.yaml"
    text = path.read_text()
    path.write_text(text.replace("\ndata:\n", "\ndata:\n  edited_by_test: while-stopped\n"))
    try:
        up = user.devloop("-C", "demo", "up", "local", "--events", str(user.home / "events"))
        assert up.status == 0, up.text
        assert "while-stopped" in user.kubectl("get", "configmaps", "-n", "flux-system", "-o", "yaml")
        assert user.kubectl("get", "configmap", "stays", "-n", "default", "-o", "name")
        assert _starts(user) == before
        _check_events(events_of(user.home / "events"))
    finally:
        path.write_text(text)
    assert user.devloop("-C", "demo", "up", "local").status == 0
    assert user.devloop("-C", "demo", "status", "local").status == 0


def _check_events(lines: list[dict[str, Any]]) -> None:
    """The first says what ran, the last how it ended, and those about Kustomizations what they became."""
    assert (lines[0]["event"], lines[0]["command"], lines[0]["environment"]) == ("start", "up", "local")
    assert (lines[-1]["event"], lines[-1]["ok"], lines[-1]["verdict"]) == ("end", True, "local is healthy")
    assert {line["title"] for line in lines if line["event"] == "step-finished"} >= {"cluster", "push", "reconcile"}
    states = {line["name"]: line for line in lines if line["event"] == "kustomization"}
    assert {name: (line["ready"], line["revision"]) for name, line in states.items()} == dict.fromkeys(CHAIN, (True, lines[-1]["revision"]))


def _running(user: User) -> list[str]:
    """What runs of the user's environments: processes or containers."""
    if user.provisioner == "embedded":
        return [str(process) for process in _processes(user, "")]
    return [container.name for container in containers_of(user) if container.status == "running"]


def _starts(user: User) -> dict[str, str]:
    """When each container was started."""
    containers = containers_of(user) if user.provisioner == "kind" else []
    return {container.name: container.attrs["State"]["StartedAt"] for container in containers}


def test_a_concurrent_up_is_refused(demo: tuple[User, Path]) -> None:
    user, _ = demo
    runs = [user.start("-C", "demo", "up", "local") for _ in range(2)]
    texts = ["".join(run.communicate(timeout=120)) for run in runs]
    statuses = sorted(run.returncode for run in runs)
    assert statuses in ([0, 1], [0, 0]), texts
    if statuses == [0, 1]:
        assert any("another run is busy with the environment local" in text for text in texts)


def test_no_secret_is_in_a_command_line_a_log_or_the_output(demo: tuple[User, Path]) -> None:
    user, _ = demo
    secrets = secrets_of(user)
    assert len(secrets) >= 4
    shown = user.devloop("-C", "demo", "up", "local", "--events", "-").text
    shown += user.devloop("-C", "demo", "up", "local", "--output", "json").text
    logs = [path.read_text(errors="replace") for path in (user.home / "state").rglob("*.log*")]
    lines = [" ".join(process.cmdline()) for process in _processes(user, "")]
    for secret in secrets:
        assert not any(secret in text for text in (shown, *logs, *lines))


def test_an_interrupted_up_reports_its_state_and_the_next_one_continues(user: User) -> None:
    assert user.devloop("init", "demo").status == 0
    run = user.start("-C", "demo", "up", "local", "--events", str(user.home / "events"))
    assert run.stdout
    for line in run.stdout:
        if "cluster" in line:
            break
    run.send_signal(signal.SIGINT)
    rest, err = run.communicate(timeout=60)
    assert run.returncode == 130, rest + err
    last = events_of(user.home / "events")[-1]
    assert (last["event"], last["exitCode"], last["verdict"]) == ("end", 130, "interrupted")
    assert "interrupted\n  continue: devloop -C demo up local\n" in rest
    assert user.devloop("-C", "demo", "up", "local").status == 0
    assert user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(user) == []


def test_a_killed_up_is_continued_or_removed(user: User) -> None:
    assert user.devloop("init", "demo").status == 0
    run = user.start("-C", "demo", "up", "local", "--events", str(user.home / "events"))
    assert run.stdout
    for line in run.stdout:
        if "git server" in line:
            break
    run.kill()
    run.communicate()
    assert {"start", "step-finished"} <= {event["event"] for event in events_of(user.home / "events")}
    assert user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(user) == []


def test_an_encrypted_file_without_a_rule_is_a_warning(user: User) -> None:
    assert user.devloop("init", "demo").status == 0
    rules = user.home / "demo/.sops.yaml"
    rules.write_text(rules.read_text().replace("clusters/local", "clusters/elsewhere"))
    up = user.devloop("-C", "demo", "up", "local", "--output", "json")
    assert up.status == 0, up.text
    assert {f["rule"] for f in up.report["findings"]} == {"secrets/no-rule"}
    assert user.devloop("-C", "demo", "down", "local").status == 0


def test_no_commits_yet_is_enough(user: User) -> None:
    assert user.devloop("init", "demo").status == 0
    subprocess.run(["rm", "-r", user.home / "demo/.git"], check=True)
    _git(user.home / "demo", "init", "-q")
    assert user.devloop("-C", "demo", "up", "local").status == 0
    assert user.devloop("-C", "demo", "down", "local").status == 0


def test_down_without_an_environment_succeeds(user: User) -> None:
    assert user.devloop("init", "demo").status == 0
    assert user.devloop("-C", "demo", "down", "local").status == 0
    gone = user.devloop("-C", "demo", "status", "local")
    assert gone.status == 1
    assert "hint: devloop -C demo up local\n" in gone.out


def test_a_full_disk_is_reported_and_down_works(user: User) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    state = user.home / "state"
    state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", state], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        assert user.devloop("init", "demo").status == 0
        failed = user.devloop("-C", "demo", "up", "local", "--timeout", "20s")
        assert failed.status == 1, failed.text
        assert "no space left" in failed.text.lower()
        assert user.devloop("-C", "demo", "down", "local").status == 0
        assert remains(user) == []
    finally:
        clean_up(user)
        subprocess.run(["umount", "--lazy", state], check=True)


def _git(repository: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=repository, check=True, text=True, capture_output=True).stdout.strip()


def _processes(user: User, name: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("DEVLOOP_ENVIRONMENT_FOLDER", "").startswith(str(user.home)) and name in " ".join(process.cmdline()):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
