"""Which findings a change affects, on graphs from the real worker."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from textwrap import dedent

import pytest

from devloop.clients.git import git
from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic, Location, Scope
from devloop.errors import InputError
from devloop.lint.impact import impact
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.repository.graph import build_graph
from devloop.repository.revisions import changed_files


def flux(name: str, extra: str = "") -> str:
    return dedent(f"""\
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {{name: {name}, namespace: flux-system}}
        spec:
          interval: 1h
          path: ./{name}
          sourceRef: {{kind: GitRepository, name: flux-system}}
          {extra}
        """)


def config(name: str, namespace: str = "flux-system") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata: {{a: b}}\n"


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, names: {kind: Widget, plural: widgets}, scope: Namespaced, versions: []}
"""
FILES = {
    "cluster/apps.yaml": flux("apps", "postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}"),
    "cluster/variables.yaml": flux("variables"),
    "cluster/controllers.yaml": flux("controllers"),
    "cluster/widgets.yaml": flux("widgets"),
    "cluster/kustomization.yaml": "resources: [apps.yaml, variables.yaml, controllers.yaml, widgets.yaml]\n",
    "variables/settings.yaml": config("settings"),
    "variables/other.yaml": config("other"),
    "apps/kustomization.yaml": "resources: [app.yaml, ../shared]\n",
    "apps/app.yaml": config("app"),
    "shared/kustomization.yaml": "resources: [shared.yaml]\n",
    "shared/shared.yaml": config("shared"),
    "controllers/crd.yaml": CRD,
    "controllers/plain.yaml": config("plain"),
    "widgets/widget.yaml": "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: default}\n",
}


@pytest.fixture(scope="module")
def affected(worker_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Collection[str]], str]:
    root = tmp_path_factory.mktemp("repository")
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    definition = ClusterDefinition("local", "G3", "clusters/local/ksail.yaml", source_directory=".", entry_path="cluster")
    environment = Environment("local", root, definition)
    with Worker(worker_program, root) as worker:
        subject = LintContext((EnvironmentGraph(environment, build_graph(environment, worker)),))
    return lambda changed: " ".join(
        sorted(scope.kustomization.partition("/")[2] for scope in impact(subject, changed).scopes if scope.kustomization)
    )


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        (["README.md"], ""),
        (["apps/app.yaml"], "apps"),
        (["shared/shared.yaml"], "apps"),
        (["variables/settings.yaml"], "apps variables"),
        (["variables/other.yaml"], "variables"),
        (["controllers/crd.yaml"], "controllers widgets"),
        (["controllers/plain.yaml"], "controllers"),
        (["cluster/widgets.yaml"], "flux-system widgets"),
        (["cluster/kustomization.yaml"], "apps controllers flux-system variables widgets"),
        (["shared/gone.yaml"], "apps"),
        (["variables/new.yaml"], "apps variables"),
        (["clusters/local/ksail.yaml"], "apps controllers flux-system variables widgets"),
    ],
)
def test_a_change_affects_what_is_built_from_it(affected: Callable[[Collection[str]], str], changed: list[str], names: str) -> None:
    assert affected(changed) == names


def test_findings_are_kept_by_scope_or_by_file() -> None:
    def finding(path: str, *scopes: Scope) -> Diagnostic:
        return Diagnostic("x", Location(path, 1), scopes=scopes)

    nothing = impact(LintContext(), ["a.yaml"])
    assert nothing.has(finding("a.yaml"))
    assert not nothing.has(finding("b.yaml", Scope("dev", "flux-system/apps")))
    assert impact(LintContext(), ["devloop.yaml"]).has(finding("b.yaml"))


def test_committed_and_uncommitted_changes_are_seen(tmp_path: Path) -> None:
    root = tmp_path / "deep"
    root.mkdir()
    for name in ("a", "b", "c"):
        (root / name).write_text(name)
    git("init", "-q", cwd=tmp_path)
    git("add", "-A", cwd=tmp_path)
    git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x", cwd=tmp_path)
    (root / "a").write_text("changed")
    (root / "b").unlink()
    (root / "new ü").touch()
    (tmp_path / "outside").touch()
    git("add", "deep/a", cwd=tmp_path)
    assert changed_files(root, "HEAD") == {"a", "b", "new ü"}
    with pytest.raises(InputError, match="no revision '--output=x'"):
        changed_files(root, "--output=x")
