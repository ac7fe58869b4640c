"""No secret value in any output: a canary of every shape in every place, and every format of the report."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.model.commands import Target
from devloop.output import names

CANARY = "canary-Zq81vT"
ENCODED = base64.b64encode(CANARY.encode()).decode()
FLUX = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n"
SPEC = "spec: {{interval: 1h, prune: true, path: ./{name}, sourceRef: {{kind: GitRepository, name: flux-system}}}}\n---\n"
KSAIL = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: dev}\n"
KSAIL += "spec:\n  workload: {sourceDirectory: ., kustomizationFile: cluster}\n"
META = "metadata: {name: db, namespace: default}\n"

FOLDERS = {
    "order": {
        "a.yaml": f"data:\n  password: {ENCODED}\nkind: Secret\napiVersion: v1\n{META}---\n"
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: A_}\n"
    },
    "list": {
        "a.yaml": "apiVersion: v1\nkind: List\nitems:\n"
        f"- stringData: {{password: {CANARY}}}\n  kind: Secret\n  apiVersion: v1\n  metadata: {{name: x_, namespace: default}}\n"
    },
    "json": {
        "a.json": f'{{"stringData": {{"password": "{CANARY}"}}, "kind": "Secret", "apiVersion": "v1", "metadata": {{"name": "j_"}}}}\n',
        "kustomization.yaml": "resources: [a.json]\n",
    },
    "patched": {
        "a.yaml": f"apiVersion: v1\nkind: Secret\n{META}stringData: {{user: x}}\n",
        "kustomization.yaml": "resources: [a.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |\n"
        f"    - op: add\n      path: /stringData/password\n      value: {CANARY}\n",
    },
    "merged": {
        "a.yaml": f"apiVersion: v1\nkind: Secret\n{META}stringData: {{user: x}}\n",
        "kustomization.yaml": "resources: [a.yaml]\npatches:\n- patch: |\n"
        f"    stringData:\n      password: {CANARY}\n    kind: Secret\n    apiVersion: v1\n    {META}",
    },
    "unmatched": {
        "kustomization.yaml": "patches:\n- target: {kind: Secret}\n  patch: |\n"
        f"    - op: replace\n      path: /stringData/a/b/c\n      value: {CANARY}\n",
    },
    "literals": {"kustomization.yaml": f"secretGenerator:\n- name: gen\n  literals: [password={CANARY}]\n"},
    "literal": {"kustomization.yaml": f"secretGenerator:\n- name: gen\n  literals:\n  - password {CANARY}\n"},
    "variables": {
        "kustomization.yaml": "secretGenerator:\n- name: gen\n  envs: [app.env]\n",
        "app.env": f"PASSWORD={CANARY}\n",
    },
    "malformed": {"kustomization.yaml": "secretGenerator:\n- name: gen\n  envs: [app.env]\n", "app.env": f"=\n1 2={CANARY}\n"},
    "broken": {"a.yaml": f"apiVersion: v1\nkind: Secret\n{META}stringData:\n  password: '{CANARY}\n  a: b\n"},
    "address": {
        "a.yaml": "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: g, namespace: flux-system}\n"
        f"spec: {{interval: 1m, url: 'htp://bot:{CANARY}@git.example.com/x.git'}}\n"
    },
    "release": {
        "a.yaml": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r, namespace: gone}\n"
        "spec:\n  interval: never\n  chartRef: {kind: OCIRepository, name: gone}\n"
        f"  values:\n    password: {CANARY}\n    env: [{{name: DB_PASSWORD, value: {CANARY}}}]\n"
        "  valuesFrom: [{kind: Secret, name: gone}]\n"
    },
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("canaries")
    (root / "cluster").mkdir()
    (root / "ksail.yaml").write_text(KSAIL)
    (root / "cluster/apps.yaml").write_text("".join((FLUX + SPEC).format(name=name) for name in FOLDERS))
    for folder, files in FOLDERS.items():
        (root / folder).mkdir()
        for name, text in files.items():
            (root / folder / name).write_text(text)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


@pytest.mark.parametrize("output", names(Target.REPOSITORY))
def test_no_format_shows_a_canary(output: str, repository: Path, worker_program: Path, tmp_path: Path) -> None:
    assert worker_program.exists()
    done = subprocess.run(
        [sys.executable, "-m", "devloop", "-C", str(repository), "validate", "--output", output],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    shown = (done.stdout + done.stderr).decode()
    assert "password" in shown
    assert [line for line in shown.splitlines() if CANARY in line or ENCODED in line] == []
    left = [path for path in tmp_path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert left == []
