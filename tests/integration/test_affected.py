"""`devloop sync` has Flux reconcile what an edit affects, and ends where reconciling everything would."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, User, running_sample
from .looking import at_rest

BASES = "k8s/bases"
KINDS = (
    "namespaces", "configmaps", "secrets", "services", "serviceaccounts", "deployments", "cronjobs", "networkpolicies", "limitranges",
    "resourcequotas", "poddisruptionbudgets", "clusterroles", "clusterrolebindings", "helmreleases", "kustomizations",
)  # fmt: skip
OWN = re.compile(r"reconcile\.fluxcd\.io|deployment\.kubernetes\.io")  # annotations that say when, not what


@pytest.fixture(scope="module", params=["embedded", pytest.param("kind", marks=pytest.mark.nightly)])
def demo(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[tuple[User, Path]]:
    """The running sample."""
    yield from running_sample(User(tmp_path_factory.mktemp("demo"), request.param))


def replace(path: str, pattern: str, new: str) -> Callable[[Path, int], None]:
    """An edit: `new` has the number of the edit for {n}."""

    def edit(repository: Path, number: int) -> None:
        text = (repository / path).read_text()
        changed = re.sub(pattern, new.replace("{n}", str(number)), text, count=1)
        assert changed != text, path
        (repository / path).write_text(changed)

    return edit


def add_or_remove(repository: Path, number: int) -> None:
    """A ConfigMap of the workload exporter."""
    folder = repository / BASES / "infrastructure-controllers/workload-exporter"
    names, path = folder / "kustomization.yaml", folder / "extra.yaml"
    if path.exists():
        path.unlink()
        names.write_text(names.read_text().replace("  - extra.yaml\n", ""))
    else:
        path.write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\ndata:\n  number: '{number}'\n")
        names.write_text(names.read_text().replace("resources:\n", "resources:\n  - extra.yaml\n"))


SOURCE = ("flux-system", "-n", "flux-system")

EDITS: dict[str, tuple[Callable[[Path, int], None], str]] = {
    "leaf": (replace(f"{BASES}/apps/storefront/kustomization.yaml", r"PAGE_SIZE=\d+", "PAGE_SIZE={n}"), "flux-system/apps"),
    "middle": (
        replace(f"{BASES}/infrastructure/monitoring/config-map-alert-rules.yaml", r"\bdata:\n(  n\d: x\n)?", "data:\n  n{n}: x\n"),
        "flux-system/infrastructure",
    ),
    "variable": (
        replace("k8s/clusters/local/variables/config-map.yaml", r"domain: \S+", "domain: n{n}.platform.example"),
        "flux-system/variables, flux-system/infrastructure-controllers, flux-system/infrastructure and flux-system/apps",
    ),
    "object": (add_or_remove, "flux-system/infrastructure-controllers"),
    "chart": (replace(f"{BASES}/apps/catalogue/chart/Chart.yaml", r"\bversion: 0\.\d+\.0", "version: 0.{n}.0"), "nothing"),
    "spec": (
        replace(f"{BASES}/sync/apps.yaml", r"\bspec:\n(  common.*\n)?", "spec:\n  commonMetadata: {annotations: {edit: n{n}}}\n"),
        "flux-system/flux-system and flux-system/apps",
    ),
    "notes": (replace("README.md", r"$", "{n}\n"), "nothing"),
}


def sync(user: User, *options: str) -> Run:
    run = user.devloop("-C", "demo", "sync", "local", "--output", "json", *options)
    assert run.status == 0, run.text
    return run


def affected(run: Run) -> str:
    return next(str(step["message"]) for step in run.report["steps"] if step["title"] == "affected")


def contents(user: User) -> dict[str, Any]:
    """What the objects of the repository are in the cluster, without what says when they became so."""
    items = json.loads(user.kubectl("get", ",".join(KINDS), "-A", "-o", "json"))["items"]
    return dict(content(item) for item in items if "kustomize.toolkit.fluxcd.io/name" in item["metadata"].get("labels", {}))


def content(item: dict[str, Any]) -> tuple[str, Any]:
    metadata = item["metadata"]
    notes = {key: value for key, value in (metadata.get("annotations") or {}).items() if not OWN.search(key)}
    state = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    ready = [each["status"] for each in (item.get("status") or {}).get("conditions") or () if each["type"] == "Ready"]
    chart = (item.get("status") or {}).get("lastAttemptedRevision") if item["kind"] == "HelmRelease" else None
    key = f"{item['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"
    return key, (metadata["labels"], notes, state, ready, chart)


@pytest.mark.parametrize("name", EDITS)
def test_flux_reconciles_what_an_edit_affects(demo: tuple[User, Path], name: str) -> None:
    user, repository = demo
    edit, expected = EDITS[name]
    at_rest(user)
    edit(repository, 9)
    run = sync(user)
    assert affected(run) == expected
    report = run.report
    assert {k["revision"] for k in report["kustomizations"]} == {report["revision"]}
    reconciled = {span["title"] for span in report["timeline"] if "build" in span.get("phases", {})}
    assert reconciled <= set(re.findall(r"flux-system/[\w-]+", expected))
    source = user.kubectl("get", "gitrepository", "-n", "flux-system", "flux-system", "-o", "jsonpath={.status.artifact.revision}")
    assert source == report["revision"]
    if name == "chart":
        release = user.kubectl("get", "helmrelease", "-n", "catalogue", "catalogue", "-o", "jsonpath={.status.lastAttemptedRevision}")
        assert release == "0.9.0"


def test_flux_goes_on_alone_after_a_run_that_gave_up_before_the_source_had_the_revision(demo: tuple[User, Path]) -> None:
    user, repository = demo
    at_rest(user)
    EDITS["leaf"][0](repository, 8)
    user.kubectl("patch", "gitrepository", *SOURCE, "--type=merge", "--patch", '{"spec": {"suspend": true}}')
    stopped = user.devloop("-C", "demo", "sync", "local", "--timeout", "5s")
    assert stopped.status == 1, stopped.text
    user.kubectl("patch", "gitrepository", *SOURCE, "--type=merge", "--patch", '{"spec": {"suspend": false}}')
    wanted = re.search(r"main@sha1:[0-9a-f]{40}", stopped.text)
    assert wanted, stopped.text
    user.kubectl(
        "wait", f"--for=jsonpath={{.status.lastAppliedRevision}}={wanted[0]}", "kustomization", "apps", *SOURCE[1:], "--timeout=60s"
    )


def test_without_the_record_and_with_whole_everything_is_reconciled(demo: tuple[User, Path]) -> None:
    user, repository = demo
    EDITS["notes"][0](repository, 1)
    assert "affected" not in {step["title"] for step in sync(user, "--whole").report["steps"]}
    for path in (user.home / "state").rglob("applied.json"):
        path.unlink()
    EDITS["notes"][0](repository, 2)
    assert affected(sync(user)) == "everything"


@pytest.mark.parametrize("count", [5, pytest.param(50, marks=pytest.mark.nightly)])
def test_the_cluster_ends_as_if_everything_had_been_reconciled(demo: tuple[User, Path], count: int) -> None:
    user, repository = demo
    choice = random.Random(count)
    for number in range(10, 10 + count):
        for name in choice.sample(sorted(EDITS), choice.choice((1, 1, 2))):
            EDITS[name][0](repository, number)
        sync(user)
    partly = contents(user)
    EDITS["notes"][0](repository, 3)
    sync(user, "--whole")
    assert partly == contents(user)
    assert len(partly) > 40
