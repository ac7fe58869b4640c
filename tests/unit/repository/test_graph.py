"""The graph of an environment's Kustomizations, found by building; and the first form of validation on top of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.sops import encrypt, new_key_pair
from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic
from devloop.lint.run import validate
from devloop.lint.scope import LintScope
from devloop.model.flux.graph import NodeState
from devloop.model.flux.kustomization import SourceRef
from devloop.model.kubernetes.objects import ObjectId
from devloop.output.json import to_json

from .graphs import SETTINGS, Survey, environment, flux, named, settings, states
from .test_graph_sources import generator

CASES = Path(__file__).parents[4] / "shared/cases"


GIT = SourceRef("GitRepository", "flux-system", "flux-system")


OCI = SourceRef("OCIRepository", "flux-system", "flux-system")


def test_children_are_found_with_what_their_parents_make_of_them(repository: Any, look: Survey) -> None:
    """Half of the Kustomizations out there are complete only after their parent was built."""
    partial = flux("apps")
    del partial["metadata"]["namespace"], partial["spec"]["sourceRef"]
    patch = json.dumps([{"op": "add", "path": "/spec/sourceRef", "value": {"kind": "GitRepository", "name": "flux-system"}}])
    parent = flux("parent", "./parent", targetNamespace="flux-system", patches=[{"target": {"kind": "Kustomization"}, "patch": patch}])
    graph = look(repository({"cluster/k.yaml": parent, "parent/k.yaml": partial, "apps/a.yaml": settings()}))
    node = named(graph, "apps")
    assert (node.state, node.parent, node.origin.path, node.directory) == (
        NodeState.BUILT,
        ObjectId("flux-system", "parent"),
        "parent/k.yaml",
        "apps",
    )
    assert [str(manifest) for manifest in node.manifests] == ["ConfigMap/flux-system/settings"]
    assert node.files == ("apps/a.yaml",)
    assert graph.root.kustomization.id == ObjectId("flux-system", "flux-system")
    assert graph.own_sources == {GIT}


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("./k8s/apps", "k8s/apps", "."),
        ("apps", "k8s/apps", "k8s"),
        ("./nowhere", "k8s/apps", "."),
    ],
)
def test_paths_count_from_where_they_exist(repository: Any, look: Survey, path: str, folder: str, expected: str) -> None:
    root = repository({"k8s/cluster/k.yaml": flux("apps", path, "OCIRepository/flux-system"), f"{folder}/a.yaml": settings()})
    graph = look(root, source="k8s")
    assert graph.source_directory == expected
    assert graph.entry_path == "k8s/cluster"
    assert graph.own_sources == {OCI}


def test_variables_come_from_whatever_renders_them_first(repository: Any, look: Survey) -> None:
    """`second` needs what `first` renders, though nothing but the variables says so."""
    references = {"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]}
    inner = flux("inner", "./${folder}")
    root = repository(
        {
            "cluster/k.yaml": [flux("second", "./second", postBuild=references), flux("first", "./first")],
            "first/a.yaml": settings(folder="apps"),
            "second/k.yaml": inner,
            "apps/a.yaml": settings("other"),
        }
    )
    graph = look(root)
    assert (named(graph, "inner").directory, named(graph, "inner").state) == ("apps", NodeState.BUILT)


def test_a_path_that_hangs_on_an_unknown_variable_is_unknown_not_wrong(repository: Any, look: Survey) -> None:
    references = {"substituteFrom": [{"kind": "ConfigMap", "name": "made-by-hand"}]}
    graph = look(repository({"cluster/k.yaml": flux("apps", postBuild=references), "apps/k.yaml": flux("inner", "./${folder}")}))
    assert states(graph) == {"flux-system": "built", "apps": "built", "inner": "unknown"}


def test_a_secret_variable_leads_to_a_folder_and_stays_secret(repository: Any, look: Survey, sops_program: Path) -> None:
    public, private = new_key_pair()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": SETTINGS["metadata"], "stringData": {"folder": "hidden-corner"}}
    reference = {"substituteFrom": [{"kind": "Secret", "name": "settings"}]}
    children = [flux("vars", "./vars", decryption={"provider": "sops"}), flux("apps", postBuild=reference)]
    root = repository(
        {
            ".sops.yaml": f"creation_rules: [{{encrypted_regex: ^stringData$, age: {public}}}]",
            "cluster/k.yaml": children,
            "apps/k.yaml": flux("inner", "./${folder}"),
            "hidden-corner/a.yaml": settings("found"),
        }
    )
    (root / "vars").mkdir()
    (root / "vars/a.yaml").write_bytes(encrypt(sops_program, root, "vars/a.yaml", yaml.safe_dump(secret).encode()))
    graph = look(root, identities=private)
    assert [manifest.name for manifest in named(graph, "inner").manifests] == ["found"]
    assert graph.encrypted == ("vars/a.yaml",)
    assert states(look(root)) == {"flux-system": "built", "vars": "built", "apps": "built", "inner": "unknown"}


def test_what_flux_bootstrap_wrote_is_no_child_of_itself_and_says_how_the_root_is_built(repository: Any, look: Survey) -> None:
    itself = flux("flux-system", "./cluster", postBuild={"substitute": {"folder": "apps"}})
    graph = look(repository({"cluster/k.yaml": [itself, flux("apps", "./${folder}")], "apps/a.yaml": settings()}))
    assert states(graph) == {"flux-system": "built", "apps": "built"}
    assert named(graph, "apps").directory == "apps"


def test_one_kustomization_by_two_parents_has_both_names(repository: Any, look: Survey) -> None:
    files = {
        "cluster/k.yaml": [flux("a", "./a"), flux("b", "./b")],
        "a/k.yaml": flux("c"),
        "b/k.yaml": flux("c"),
        "apps/a.yaml": settings(),
    }
    node = named(look(repository(files)), "c")
    assert (node.parent, node.others) == (ObjectId("flux-system", "a"), (ObjectId("flux-system", "b"),))


@pytest.mark.parametrize(
    "broken", [{"dependsOn": "x"}, {"sourceRef": []}, {"path": 3}, {"postBuild": {"substituteFrom": ["x"]}}, {"sourceRef": None}]
)
def test_a_kustomization_that_makes_no_sense_is_a_node_that_failed(repository: Any, look: Survey, broken: dict[str, Any]) -> None:
    graph = look(repository({"cluster/k.yaml": [flux("apps", **broken), flux("fine")], "apps/a.yaml": settings()}))
    assert states(graph) == {"flux-system": "built", "apps": "failed", "fine": "built"}


@pytest.mark.parametrize("broken", [{"name": -1}, {"name": "apps", "namespace": {"name": []}}])
def test_a_name_that_is_no_text_is_told(repository: Any, look: Survey, broken: dict[str, Any]) -> None:
    wrong = flux("apps") | {"metadata": broken}
    graph = look(repository({"cluster/k.yaml": [wrong, flux("fine")], "apps/a.yaml": settings()}))
    [failed] = [node for node in graph if node.failure]
    assert failed.failure and failed.failure.message == f"metadata.{[*broken][-1]} must be a string"
    assert named(graph, "fine").state is NodeState.BUILT


def test_names_of_others_that_are_no_texts_are_nobodys(repository: Any, look: Survey) -> None:
    waits = flux("waits", dependsOn=[{"name": {"a": "b"}}, {"name": "fine", "namespace": []}])
    lost = flux("lost", sourceRef={"kind": ["GitRepository"], "name": {"a": "b"}})
    graph = look(repository({"cluster/k.yaml": [waits, lost, flux("fine")], "apps/a.yaml": settings()}))
    assert states(graph) == {"flux-system": "built", "waits": "built", "lost": "foreign", "fine": "built"}


@pytest.mark.parametrize("spec", [["x"], "x", {"url": 5}, {"versions": ["x"]}, {"versions": "x", "names": "x"}])
def test_sources_and_definitions_that_make_no_sense_harm_nobody(repository: Any, look: Survey, spec: Any) -> None:
    kinds = ("source.toolkit.fluxcd.io/v1 GitRepository", "source.extensions.fluxcd.io/v1beta1 ArtifactGenerator")
    odd = [{**settings("odd"), "apiVersion": v, "kind": k, "spec": spec} for v, k in map(str.split, (*kinds, DEFINITION))]
    release = {**settings("web"), "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
    chart = {"chart": {"spec": {"chart": "./chart", "sourceRef": {"kind": "GitRepository", "name": "flux-system"}}}}
    files = {"cluster/k.yaml": [*odd, release | {"spec": chart}, flux("fine")], "apps/a.yaml": settings(), "chart/Chart.yaml": CHART}
    graph = look(repository(files))
    assert states(graph) == {"flux-system": "built", "fine": "built"}
    assert [release.state for release in named(graph, "flux-system").releases] == [NodeState.BUILT]


DEFINITION = "apiextensions.k8s.io/v1 CustomResourceDefinition"


CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"


@pytest.mark.parametrize("copy", [{"from": 5}, {"to": []}, {"exclude": "*.md"}, {"exclude": [5]}, {"optional": "yes"}])
def test_an_artifact_that_makes_no_sense_is_none(repository: Any, look: Survey, copy: dict[str, Any]) -> None:
    made = generator("made", "flux-system", {"from": "@repo/apps/**", "to": "@artifact/"} | copy)
    graph = look(
        repository({"cluster/k.yaml": [made, flux("apps", source="ExternalArtifact/made"), flux("fine")], "apps/a.yaml": settings()})
    )
    assert states(graph) == {"flux-system": "built", "apps": "foreign", "fine": "built"}


def test_suspended_and_excluded_ones_are_marked(repository: Any, look: Survey) -> None:
    excluded = flux("apps", suspend=True)
    excluded["metadata"]["annotations"] = {"ksail.devantler.tech/reconcile-exclude": "true"}
    node = named(look(repository({"cluster/k.yaml": excluded, "apps/a.yaml": settings()})), "apps")
    assert (node.kustomization.suspended, node.kustomization.excluded) == (True, True)


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Path]:
    def copy(name: str) -> Path:
        if not (CASES / name).is_dir():
            pytest.skip("../shared/cases is not here")
        return Path(shutil.copytree(CASES / name, tmp_path / name))

    return copy


@pytest.mark.parametrize(
    ("name", "source", "entry", "counts_from", "expected"),
    [
        ("home-cluster", ".", "cluster/base", ".", {"built": 75, "failed": 1}),
        ("flux2-multi-tenancy", ".", "clusters/staging", ".", {"built": 4, "foreign": 2}),
        ("flux2-kustomize-helm-example", ".", "clusters/production", ".", {"built": 4}),
        ("flux2-kustomize-helm-example", ".", "clusters/staging", ".", {"built": 4}),
        ("pinniped-poc", "k8s", ".", "k8s", {"built": 4}),
        ("platform-template", "k8s", "clusters/local", "k8s", {"built": 4, "failed": 1}),
        ("platform-template", "k8s", "clusters/prod", "k8s", {"built": 5}),
    ],
)
def test_real_repositories(
    case: Callable[[str], Path], look: Survey, name: str, source: str, entry: str, counts_from: str, expected: dict[str, int]
) -> None:
    graph = look(case(name), source=source, entry=entry)
    counted = {state: sum(node.state == state for node in graph) for state in {str(node.state) for node in graph}}
    assert (counted, graph.source_directory) == (expected, counts_from)


def test_what_fails_in_them_are_files_that_are_not_there(case: Callable[[str], Path], look: Survey) -> None:
    [failed] = [node.failure for node in look(case("home-cluster"), entry="cluster/base") if node.failure]
    assert (failed.path, failed.line, failed.message) == (
        "cluster/apps/default/qbittorrent/base/kustomization.yaml",
        12,
        "config/Corefile does not exist",
    )


@pytest.fixture
def worker_of(worker_program: Path) -> Iterator[Callable[[Path], Worker]]:
    workers: list[Worker] = []

    def start(root: Path) -> Worker:
        workers.append(Worker(worker_program, root))
        return workers[-1]

    yield start
    for worker in workers:
        worker.close()


def test_validation_checks_every_environment_and_gives_the_same_bytes_twice(repository: Any, worker_of: Callable[[Path], Worker]) -> None:
    root = repository({"one/k.yaml": flux("apps"), "two/k.yaml": flux("apps", "./gone"), "apps/a.yaml": settings()})
    environments = tuple(environment(root, entry=name, name=name) for name in ("one", "two"))
    problem = Diagnostic.at("clusters/three/ksail.yaml", 3, "unknown key cnni", "did you mean cni?")
    reports = [validate(LintScope(root, environments, problems=(problem,)), worker_of(root)) for _ in range(2)]
    assert [(f.rule, f.path, f.line) for f in reports[0].findings] == [
        ("definition/invalid", "clusters/three/ksail.yaml", 3),
        ("graph/path-missing", "two/k.yaml", 8),
    ]
    assert [(k.name, k.ready) for k in reports[0].kustomizations] == [
        ("flux-system", True),
        ("apps", True),
        ("flux-system", True),
        ("apps", False),
    ]
    assert reports[0].exit_code == 1
    assert to_json(reports[0]) == to_json(reports[1])
