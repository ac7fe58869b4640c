"""`up` of a repository with a remote base: checked with --allow-remote, fetched by Flux itself in any case."""

from __future__ import annotations

from pathlib import Path

from devloop.clients.git import git

from .conftest import User

BASE = {
    "kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [config-map.yaml]\n",
    "config-map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-far}\ndata: {a: b}\n",
}


def test_a_remote_base_is_checked_and_applied(user: User, tmp_path: Path) -> None:
    far = tmp_path / "far"
    (far / "base").mkdir(parents=True)
    for name, text in BASE.items():
        (far / "base" / name).write_text(text)
    git("init", "--quiet", "--initial-branch=main", cwd=far)
    git("add", "--all", cwd=far)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--no-gpg-sign", "--message=a", cwd=far)
    listed = user.init() / "k8s/bases/apps/storefront/kustomization.yaml"
    listed.write_text(listed.read_text().replace("resources:\n", f"resources:\n  - git::file://{far}//base?ref=main\n", 1))
    up = user.devloop("-C", "demo", "up", "local", "--allow-remote")
    assert up.status == 0, up.text
    assert user.kubectl("get", "configmap", "from-far", "-n", "storefront", "-o", "jsonpath={.data.a}") == "b"
