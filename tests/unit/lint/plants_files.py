"""A fault for each rule about files: definitions, YAML, builds, secrets, devloop.yaml."""

from __future__ import annotations

import shutil
from pathlib import Path

from .planting import BASES, LOGIN, STOREFRONT, SYNC, WEB, Plant, edit, edited, new

CHART = "k8s/bases/apps/catalogue/chart/templates/indexer.yaml"
PLAIN = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\nstringData:\n  password: correct-horse-battery\n"
# Looks like a key, and is none: the text in it says so.
KEY = "-----BEGIN PRIVATE KEY-----\ndGhpcyBpcyBubyBrZXksIGl0IHdhcyBtYWRlIHVwIGZvciBhIHRlc3Q=\n-----END PRIVATE KEY-----\n"


def exemption(rule: str, expires: str) -> str:
    return f"exemptions:\n  - rule: {rule}\n    reason: planted\n    expires: {expires}\n"


def swapped(root: Path) -> None:
    """Encrypts the files of prod for the key of dev."""
    for path in (root / "k8s/clusters/dev").rglob("*.enc.yaml"):
        shutil.copy(path, root / "k8s/clusters/prod" / path.relative_to(root / "k8s/clusters/dev"))


PLANTS: dict[str, Plant] = {
    "definition/invalid": edited("clusters/dev/ksail.yaml", "cni: Default", "cnni: Default"),
    "definition/missing": Plant(lambda root: shutil.rmtree(root / "clusters")),
    "definition/questionable": edited("clusters/dev/ksail.yaml", "name: dev", "name: develop"),
    "yaml/syntax": edited(WEB, "^  replicas: 2", "  replicas: 2: 3"),
    "yaml/duplicate-key": edited(WEB, "^  replicas: 2", "  replicas: 2\n  replicas: 3", at="replicas: 3"),
    "build/failed": edited(f"{STOREFRONT}/kustomization.yaml", "- service.yaml", "- services.yaml"),
    "build/ignored-field": edited("k8s/clusters/local/apps/kustomization.yaml", "^replicas:", "replica:"),
    "build/patch-without-target": edited(
        f"{BASES}/components/hardened-workloads/kustomization.yaml",
        "kind: Deployment$",
        "kind: Deployment\n      name: wbe",
        at="name: wbe",
    ),
    "build/dropped-hook": edited(
        "k8s/bases/apps/catalogue/chart/templates/service-account.yaml",
        "^metadata:",
        "metadata:\n  annotations:\n    helm.sh/hook: pre-instal",
        at="helm.sh/hook",
    ),
    "build/release": edited(CHART, "replicas: 1", 'replicas: {{ fail "planted" }}'),
    "secrets/plaintext": Plant(new(f"{STOREFRONT}/secret.yaml", PLAIN), f"{STOREFRONT}/secret.yaml", at="password"),
    "secrets/not-encrypted": Plant(new(LOGIN, PLAIN), LOGIN, at="apiVersion"),
    "secrets/private-key": Plant(new("clusters/prod/deploy.key", KEY), "clusters/prod/deploy.key", at="BEGIN"),
    "secrets/left-in-clear": edited(LOGIN, r"^stringData:\n", "stringData:\n    pasted: correct-horse-battery\n", at="pasted"),
    "secrets/no-mac": edited(LOGIN, r"^ +mac: .*\n", "", at="apiVersion"),
    "secrets/encrypted-list": edited(
        LOGIN,
        r"^kind: Secret\nmetadata:\n((?: {4}.*\n)+)[^\0]*?^stringData:\n",
        r"kind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata:\n\1  stringData:\n",
        at="kind: List",
    ),
    "secrets/decryption-missing": Plant(
        edit(SYNC, r"^        decryption:\n +provider: sops\n +secretRef:\n +name: sops-age\n", ""),
        f"{BASES}/sync/apps.yaml",
        at="apiVersion",
    ),
    "secrets/recipients": Plant(edit(".sops.yaml", r"(clusters/local[^\0]*?age: )\S+", r"\1age1" + "q" * 58), LOGIN, at="apiVersion"),
    "secrets/no-rule": Plant(edit(".sops.yaml", "clusters/local", "clusters/elsewhere"), LOGIN, at="apiVersion"),
    "secrets/own-recipient": Plant(swapped, ".sops.yaml", at="clusters/prod"),
    "secrets/key-service": edited(
        LOGIN, r"^    age:\n( {8}.*\n)+", "    azure_kv:\n        - name: sops\n          enc: bm9ib2R5\n", at="apiVersion"
    ),
    "secrets/rotation": Plant(new("README.md", "# Platform\n"), ".sops.yaml", at="# Recipients"),
    "exemptions/expired": Plant(new("devloop.yaml", exemption("graph/no-prune", "2020-12-31")), "devloop.yaml", "rule"),
    "exemptions/unused": Plant(new("devloop.yaml", exemption("graph/no-prune", "2999-12-31")), "devloop.yaml", "rule"),
}
