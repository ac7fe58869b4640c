"""The sample platform as `devloop init` makes it is clean, and each rule speaks of what is planted in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from devloop.clients.worker import Worker
from devloop.model.report import Finding, Severity
from devloop.rules import RULES
from devloop.scaffold import scaffold
from devloop.validation import Selection, validate
from devloop.validation.repository import load_repository

SYNC = "k8s/bases/sync/kustomization.yaml"
STOREFRONT = "k8s/bases/apps/storefront"
LOGIN = "k8s/clusters/local/apps/storefront/secret.enc.yaml"
AGAIN = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  path: ./k8s/bases/apps
  sourceRef:
    kind: GitRepository
    name: flux-system
"""
PLAIN = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\nstringData:\n  password: correct-horse-battery\n"
# Looks like a key, and is none: the text in it says so.
KEY = "-----BEGIN PRIVATE KEY-----\ndGhpcyBpcyBubyBrZXksIGl0IHdhcyBtYWRlIHVwIGZvciBhIHRlc3Q=\n-----END PRIVATE KEY-----\n"

Plant = Callable[[Path], object]


def new(path: str, text: str) -> Plant:
    def plant(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    return plant


def edit(path: str, pattern: str, replacement: str) -> Plant:
    """Replace what the pattern finds, which is there."""

    def plant(root: Path) -> None:
        text, count = re.subn(pattern, replacement, (root / path).read_text(), flags=re.MULTILINE)
        assert count, f"{pattern} is not in {path}"
        (root / path).write_text(text)

    return plant


def listed(folder: str, name: str, text: str) -> Plant:
    """A new file, under resources of its folder's kustomization.yaml."""
    steps = (new(f"{folder}/{name}", text), edit(f"{folder}/kustomization.yaml", r"^resources:\n", f"resources:\n  - {name}\n"))
    return lambda root: [step(root) for step in steps]


def swapped(root: Path) -> None:
    """The files of prod are for the key of dev."""
    for path in (root / "k8s/clusters/dev").rglob("*.enc.yaml"):
        shutil.copy(path, root / "k8s/clusters/prod" / path.relative_to(root / "k8s/clusters/dev"))


PLANTED: dict[str, Plant] = {
    "secrets/plaintext": new(f"{STOREFRONT}/secret.yaml", PLAIN),
    "secrets/not-encrypted": new(LOGIN, PLAIN),
    "secrets/private-key": new("clusters/prod/deploy.key", KEY),
    "secrets/left-in-clear": edit(LOGIN, r"^stringData:\n", "stringData:\n    pasted: correct-horse-battery\n"),
    "secrets/no-mac": edit(LOGIN, r"^ +mac: .*\n", ""),
    "secrets/decryption-missing": edit(SYNC, r"^        decryption:\n +provider: sops\n +secretRef:\n +name: sops-age\n", ""),
    "secrets/recipients": edit(".sops.yaml", r"(clusters/local[^\0]*?age: )\S+", r"\1age1" + "q" * 58),
    "secrets/no-rule": edit(".sops.yaml", "clusters/local", "clusters/elsewhere"),
    "secrets/own-recipient": swapped,
    "secrets/key-service": edit(LOGIN, r"^    age:\n( {8}.*\n)+", "    azure_kv:\n        - name: sops\n          enc: bm9ib2R5\n"),
    "secrets/rotation": new("README.md", "# Platform\n"),
    "graph/path-missing": edit("k8s/bases/sync/apps.yaml", "cluster-name/apps", "cluster-name/aps"),
    "graph/path-outside": edit("k8s/bases/sync/apps.yaml", r"\./k8s/clusters/cluster-name/apps", "../k8s/clusters/prod/apps"),
    "graph/dependency-missing": edit("k8s/bases/sync/apps.yaml", "- name: infrastructure$", "- name: infrastucture"),
    "graph/dependency-cycle": edit("k8s/bases/sync/variables.yaml", "^spec:\n", "spec:\n  dependsOn:\n    - name: apps\n"),
    "graph/rendered-twice": listed("k8s/bases/infrastructure", "apps.yaml", AGAIN),
    "graph/two-owners": listed(
        "k8s/bases/infrastructure", "namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: storefront\n"
    ),
    "graph/definition-missing": listed(
        "k8s/bases/infrastructure",
        "rule.yaml",
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: a\n  namespace: monitoring\n",
    ),
    "graph/namespace-missing": edit(f"{STOREFRONT}/kustomization.yaml", r"^  - namespace.yaml\n", ""),
    "graph/service-account-missing": edit(f"{STOREFRONT}/kustomization.yaml", r"^  - service-account.yaml\n", ""),
    "graph/variables-missing": edit(SYNC, "name: variables-distribution", "name: variables-distributions"),
    "graph/health-check-missing": edit("k8s/bases/sync/apps.yaml", "name: storefront-worker", "name: storefront-workers"),
    "graph/key-elsewhere": edit(SYNC, "name: sops-age", "name: sops-keys"),
    "graph/no-wait": edit("k8s/bases/sync/infrastructure.yaml", "wait: true", "wait: false"),
    "graph/long-timeout": edit(SYNC, "timeout: 5m", "timeout: 1h"),
    "graph/no-prune": edit(SYNC, "prune: true", "prune: false"),
    "substitution/undefined": edit("k8s/bases/variables/config-map.yaml", "  report_schedule: .*\n", ""),
    "substitution/default-hides": lambda root: [
        edit(f"{STOREFRONT}/cron-job-report.yaml", r"\$\{report_schedule\}", "${report_in_prod:=0 3 * * *}")(root),
        edit("k8s/clusters/prod/variables/config-map.yaml", "^data:\n", "data:\n  report_in_prod: 0 4 * * *\n")(root),
    ],
    "substitution/unused": edit("k8s/bases/variables/config-map.yaml", "^data:\n", "data:\n  colour: blue\n"),
    "layers/base": edit(f"{STOREFRONT}/kustomization.yaml", "^resources:\n", "resources:\n  - ../../../clusters/dev/cluster.yaml\n"),
    "layers/distribution": edit("k8s/distributions/talos/apps/kustomization.yaml", "^  - ../../../bases/apps", "  - ../../kind/apps"),
    "layers/cluster": edit("k8s/clusters/prod/apps/kustomization.yaml", "^  - storefront", "  - ../../dev/apps/storefront"),
    "layers/unreachable": new("k8s/bases/old/kustomization.yaml", "resources: []\n"),
    "constitution/gitops-first": edit(f"{STOREFRONT}/cron-job-report.yaml", "- report$", "- kubectl scale deployment storefront-web"),
    "constitution/sops": lambda root: [
        edit(".sops.yaml", r"[^\0]+", "")(root),
        (root / ".sops.yaml").unlink(),
        *[path.write_text(PLAIN) for path in root.rglob("*.enc.yaml")],
    ],
    "constitution/declarative": edit(
        "k8s/bases/infrastructure/monitoring/config-map-alert-rules.yaml", "^data:\n", "data:\n  run.sh: |\n    #!/bin/sh\n    true\n"
    ),
    "constitution/monitoring": edit("k8s/bases/infrastructure/kustomization.yaml", "^  - monitoring\n", ""),
    "constitution/policies": lambda root: [
        edit("k8s/bases/infrastructure/kustomization.yaml", "^  - policies\n", "")(root),
        edit("k8s/clusters/local/infrastructure/kustomization.yaml", r"^patches:\n[^\0]*", "")(root),
        shutil.rmtree(root / "policies"),
    ],
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, sops_program: Path) -> Path:
    """As `devloop init` makes it; nobody keeps its keys, so what is encrypted stays sealed."""
    root = tmp_path_factory.mktemp("sample") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        scaffold(root, sops_program)
    return root


@pytest.fixture(scope="module")
def before(sample: Path, worker_program: Path) -> tuple[Finding, ...]:
    """What every rule says of the sample."""
    return _found(sample, worker_program)


def _found(root: Path, worker_program: Path, *rules: str) -> tuple[Finding, ...]:
    with Worker(worker_program, root) as worker:
        return validate(load_repository(root), worker, Selection(rules=rules)).findings


def test_the_sample_is_clean(before: tuple[Finding, ...]) -> None:
    assert [finding for finding in before if finding.severity is not Severity.INFO] == []


@pytest.mark.parametrize("rule", PLANTED)
def test_a_rule_speaks_of_what_is_planted_and_of_nothing_before(
    rule: str, before: tuple[Finding, ...], sample: Path, tmp_path: Path, worker_program: Path
) -> None:
    assert rule not in {finding.rule for finding in before}
    root = tmp_path / "demo"
    shutil.copytree(sample, root)
    PLANTED[rule](root)
    assert _found(root, worker_program, rule)


def test_each_rule_of_these_families_is_planted() -> None:
    families = ("secrets", "graph", "substitution", "layers", "constitution")
    assert set(PLANTED) >= {rule for rule in RULES if rule.startswith(families)}
