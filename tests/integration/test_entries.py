"""`up` of an environment that has no definition: what Flux finds in the repository decides."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .conftest import User, remains

FLUX = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
SOURCE = "sourceRef: {kind: GitRepository, name: flux-system}"
FILES = {
    "clusters/dev/root.yaml": f"""{FLUX}metadata: {{name: fleet, namespace: flux-system}}
spec:
  interval: 1h
  path: ./clusters/dev
  prune: true
  {SOURCE}
  postBuild: {{substitute: {{REGION: north}}}}
  patches:
    - target: {{kind: Kustomization, name: apps}}
      patch: '[{{"op": "add", "path": "/spec/targetNamespace", "value": "default"}}]'
""",
    "clusters/dev/apps.yaml": (
        f"{FLUX}metadata: {{name: apps, namespace: flux-system}}\nspec: {{interval: 1h, path: ./apps, prune: true, {SOURCE}}}\n"
    ),
    # Flux 2.8 leaves a variable without a value empty.
    "clusters/dev/flux.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: kustomize-controller\n  namespace: flux-system\n"
        "  labels: {app.kubernetes.io/version: v2.8.8, app.kubernetes.io/part-of: flux}\n"
        "spec:\n  selector: {matchLabels: {app: flux}}\n  template:\n    metadata: {labels: {app: flux}}\n"
        "    spec: {containers: [{name: manager, image: 'example.com/flux:v1'}]}\n"
    ),
    "clusters/dev/settings.yaml": (
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: default}\ndata: {text: "${REGION}-${NOBODY}-"}\n'
    ),
    "apps/app.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {a: b}\n",
}


def test_a_root_of_another_name_runs_as_the_repository_sets_flux_up(user: User) -> None:
    for name, text in FILES.items():
        path = Path(user.home, "fleet", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q", user.home / "fleet"], check=True)
    up = user.devloop("-C", "fleet", "up", "dev", "--output", "json")
    assert up.status == 0, up.text
    assert {each["name"] for each in up.report["kustomizations"]} == {"fleet", "apps"}
    assert "dev has no KSail definition" in up.err
    assert any("the repository runs Flux v2.8.8" in step["message"] for step in up.report["steps"])
    assert user.kubectl("get", "configmap", "settings", "-n", "default", "-o", "jsonpath={.data.text}") == "north--"
    assert "app" in user.kubectl("get", "configmap", "app", "-n", "default", "-o", "name")
    assert user.devloop("-C", "fleet", "down", "dev").status == 0
    assert remains(user) == []
