"""Finding the repository's root, its environments and their definitions in real folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.errors import InputError
from devloop.repository.environments import environments, find_root, load_environment

from .definitions import HEAD, KIND, named, refusal, write

CASES = Path(__file__).parents[3].parent / "shared" / "cases"


@pytest.mark.parametrize("place", ["ksail.yaml", "ksail.prod.yaml", "clusters/dev/ksail.yaml"])
def test_the_root_is_the_nearest_folder_with_a_definition(tmp_path: Path, place: str) -> None:
    root = write(tmp_path / "outer" / "repo", {place: HEAD, "k8s/apps/a": ""})
    write(tmp_path / "outer", {"ksail.yaml": HEAD})
    assert find_root(root) == root
    assert find_root(root / "k8s" / "apps") == root
    assert find_root(tmp_path / "outer") == tmp_path / "outer"


def test_the_folder_of_an_environment_is_not_the_root(tmp_path: Path) -> None:
    root = write(tmp_path / "repo", {"clusters/local/ksail.yaml": HEAD, "clusters/local/deep/a": ""})
    assert find_root(root / "clusters" / "local" / "deep") == root
    assert find_root(root / "clusters") == root


def test_a_repository_that_lies_in_a_folder_called_clusters_is_one(tmp_path: Path) -> None:
    root = write(tmp_path / "clusters" / "repo", {"ksail.yaml": HEAD, ".git/HEAD": ""})
    assert find_root(root) == root


def test_no_root(tmp_path: Path) -> None:
    (tmp_path / "clusters" / "dev").mkdir(parents=True)
    with pytest.raises(InputError, match=r"neither a KSail definition nor a Git repository in .* or in a folder above it") as caught:
        find_root(tmp_path / "clusters")
    assert "devloop init DIR" in str(caught.value.hint)


def test_the_order_of_definitions(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {"clusters/dev/ksail.yaml": named("a"), "ksail.dev.yaml": named("b"), "ksail.yaml": named("dev"), "other.yaml": named("d")},
    )
    found = []
    for path in ("other.yaml", "clusters/dev/ksail.yaml", "ksail.dev.yaml", "ksail.yaml"):
        found.append(load_environment(root, "dev", root / "other.yaml" if path == "other.yaml" else None).definition.path)
        (root / path).unlink()
    assert found == ["other.yaml", "clusters/dev/ksail.yaml", "ksail.dev.yaml", "ksail.yaml"]


def test_the_names_of_all_environments(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "clusters/prod/ksail.yaml": HEAD,
            "clusters/local/ksail.yaml": "broken: [",
            "clusters/empty/kind.yaml": KIND,
            "clusters/README": "",
            "ksail.dev.yaml": HEAD,
            "ksail.prod.yaml": HEAD,
            "ksail.yaml": named("staging"),
        },
    )
    assert environments(root) == ("dev", "local", "prod", "staging")


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({}, ()),
        ({"ksail.yaml": HEAD}, ("local",)),
        ({"ksail.yaml": named("dev")}, ("dev",)),
        ({"ksail.yaml": "apiVersion: ksail.dev/v1alpha1\nkind: Cluster\n"}, ("local",)),
        ({"ksail.yaml": HEAD, "ksail.dev.yaml": HEAD}, ("dev",)),
        ({"ksail.yaml": "broken: [", "ksail.dev.yaml": HEAD}, ("dev", "local")),
        ({"ksail.yaml": named("Wrong_1"), "ksail.dev.yaml": HEAD}, ("dev", "local")),
        ({"ksail.yaml": "", "clusters/local/ksail.yaml": HEAD}, ("local",)),
    ],
)
def test_ksail_yaml_is_called_by_its_name_or_local(tmp_path: Path, files: dict[str, str], names: tuple[str, ...]) -> None:
    assert environments(write(tmp_path, files)) == names


def test_the_only_definition_is_also_local(tmp_path: Path) -> None:
    root = write(tmp_path, {"ksail.yaml": named("dev")})
    assert load_environment(root, "local").definition.name == "dev"
    assert load_environment(root, "dev").definition.path == "ksail.yaml"
    write(root, {"ksail.prod.yaml": HEAD})
    assert refusal(root, "local")[0].startswith(f"no environment 'local' in {root}; it has dev and prod | ")


def test_an_environment_that_does_not_exist(tmp_path: Path) -> None:
    root = write(tmp_path, {"clusters/local/ksail.yaml": HEAD, "clusters/prod/ksail.yaml": "broken: [", "ksail.dev.yaml": HEAD})
    assert refusal(root, "prdo") == [f"no environment 'prdo' in {root}; it has dev, local and prod | did you mean prod?"]
    assert refusal(root, "x") == [
        f"no environment 'x' in {root}; it has dev, local and prod | to add it, create clusters/x/ksail.yaml or ksail.x.yaml"
    ]


def test_a_definition_without_a_name_is_pointed_at(tmp_path: Path) -> None:
    root = write(tmp_path, {"ksail.yaml": HEAD, "ksail.dev.yaml": HEAD})
    assert refusal(root, "local") == [
        f"no environment 'local' in {root}; it has dev | ksail.yaml has no metadata.name: add one, or use --definition ksail.yaml"
    ]


def test_a_ksail_yaml_that_cannot_say_its_name_says_why(tmp_path: Path) -> None:
    root = write(tmp_path, {"ksail.yaml": "metadata: {name: staging\n", "ksail.dev.yaml": HEAD})
    assert refusal(root, "staging")[0].startswith("ksail.yaml:1: not valid YAML")
    assert load_environment(root, "dev").name == "dev"


def test_no_definition_at_all(tmp_path: Path) -> None:
    assert refusal(tmp_path, "local")[0].startswith(
        f"no KSail definition in {tmp_path} | scaffold a sample platform with `devloop init DIR`"
    )


@pytest.mark.parametrize("name", ["", ".", "..", "../prod", "a/b", "-x", "x-", "a b", "a\n", "x" * 64, "é", "\x1b[31m"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"ksail.yaml": HEAD})
    [message] = refusal(tmp_path, name)
    assert "is not a valid environment name" in message
    assert message.isprintable()


def test_definition_counts_from_here_or_from_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "repo", {"special.yaml": named("at-root"), "ksail.yaml": HEAD})
    here = write(tmp_path / "here", {"special.yaml": named("here")})
    monkeypatch.chdir(here)
    assert load_environment(root, "local", Path("special.yaml")).definition.name == "here"
    assert load_environment(root, "local", Path("special.yaml")).definition.path == str(here / "special.yaml")
    (here / "special.yaml").unlink()
    assert load_environment(root, "local", Path("special.yaml")).definition.path == "special.yaml"
    assert refusal(root, "local", Path("missing.yaml")) == [f"{here / 'missing.yaml'}: the file does not exist"]


def test_kind_yaml_beside_the_definition_comes_before_the_roots(tmp_path: Path) -> None:
    root = write(tmp_path, {"clusters/dev/ksail.yaml": HEAD, "kind.yaml": KIND + "name: root\n"})
    assert load_environment(root, "dev").definition.kind_path == "kind.yaml"
    write(root, {"clusters/dev/kind.yaml": KIND + "name: own\n"})
    definition = load_environment(root, "dev").definition
    assert (definition.kind_path, definition.name) == ("clusters/dev/kind.yaml", "own")


def test_kind_yaml_that_is_named_must_exist(tmp_path: Path) -> None:
    root = write(tmp_path, {"clusters/dev/ksail.yaml": HEAD + "spec:\n  cluster:\n    distributionConfig: kind/dev.yaml\n    cni: x\n"})
    assert refusal(root, "dev") == [
        "clusters/dev/ksail.yaml:5: spec.cluster.distributionConfig names 'kind/dev.yaml', which does not exist"
        " | create it, or remove the line",
        "clusters/dev/ksail.yaml:6: spec.cluster.cni is 'x', allowed: Default, Cilium, Calico",
    ]
    write(root, {"kind/dev.yaml": KIND + "nodes: [{role: worker}]\n"})
    assert refusal(root, "dev")[1] == "kind/dev.yaml:3: nodes has no control-plane | add `- role: control-plane`"


def test_another_distribution_needs_no_kind_yaml(tmp_path: Path) -> None:
    text = HEAD + "spec: {cluster: {distribution: Talos, distributionConfig: talos}}\n"
    root = write(tmp_path, {"ksail.yaml": text, "kind.yaml": "broken: ["})
    assert load_environment(root, "local").definition.kind_path == ""


def test_problems_of_both_files_at_once(tmp_path: Path) -> None:
    root = write(tmp_path, {"ksail.yaml": HEAD + "spec: {foo: 1}\n", "kind.yaml": "apiVersion: v1\nkind: Pod\n"})
    assert [line.partition(" | ")[0] for line in refusal(root, "local")] == [
        "ksail.yaml:3: unknown key spec.foo",
        "kind.yaml:1: this is an object of kind 'Pod' (apiVersion 'v1'), not a Kind configuration",
    ]


@pytest.mark.parametrize(
    ("written", "folders", "source"),
    [
        ("k8s", ["k8s"], "k8s"),
        ("k8s", ["clusters/dev/k8s"], "clusters/dev/k8s"),
        ("k8s", ["clusters/dev/k8s", "k8s"], "clusters/dev/k8s"),
        ("k8s", [], "k8s"),
        ("../../k8s", ["k8s"], "k8s"),
        ("../../k8s", [], "k8s"),
        (".", [], "clusters/dev"),
        ("../..", [], "."),
        ("./deploy//k8s/", ["deploy/k8s"], "deploy/k8s"),
    ],
)
def test_the_source_directory(tmp_path: Path, written: str, folders: list[str], source: str) -> None:
    root = write(
        tmp_path,
        {"clusters/dev/ksail.yaml": HEAD + f"spec: {{workload: {{sourceDirectory: {written}, kustomizationFile: clusters/dev}}}}\n"},
    )
    for folder in folders:
        (root / folder).mkdir(parents=True)
    environment = load_environment(root, "dev")
    assert environment.definition.source_directory == source
    assert environment.entry_path == os.path.normpath(f"{source}/clusters/dev")


def test_the_path_of_the_first_generation(tmp_path: Path) -> None:
    root = write(
        tmp_path, {"ksail.yaml": HEAD + "spec: {project: {kustomizationPath: ./k8s/clusters/local}}\n", "k8s/clusters/local/a": ""}
    )
    environment = load_environment(root, "local")
    assert (environment.definition.source_directory, environment.definition.entry_path) == ("k8s", "clusters/local")
    assert environment.entry_path == "k8s/clusters/local"


def test_an_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVLOOP_TEST_FOLDER", "clusters/local")
    root = write(
        tmp_path,
        {
            "clusters/local/ksail.yaml": HEAD + "spec: {workload: {kustomizationFile: '${DEVLOOP_TEST_FOLDER}'}}\n",
            "k8s/clusters/local/kustomization.yaml": "",
        },
    )
    monkeypatch.chdir(root)
    environment = load_environment(Path(), "local")
    assert (environment.name, environment.root, environment.entry_path) == ("local", root.resolve(), "k8s/clusters/local")
    assert (environment.definition.name, environment.definition.path) == ("local", "clusters/local/ksail.yaml")


@pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is not there")
@pytest.mark.parametrize(
    ("repository", "names"),
    [
        ("pinniped-poc", ("ksail-default",)),
        ("platform-template", ("local", "prod")),
        ("flux2-kustomize-helm-example", ()),
        ("flux2-multi-tenancy", ()),
        ("home-cluster", ()),
    ],
)
def test_real_repositories(repository: str, names: tuple[str, ...]) -> None:
    root = CASES / repository
    assert environments(root) == names
    for name in names:
        environment = load_environment(root, name)
        assert (root / environment.entry_path).is_dir()
        assert [str(blocker) for blocker in environment.definition.blockers] == (
            ["ksail.prod.yaml:15: spec.cluster.provider is Hetzner; devloop creates local clusters only"] if name == "prod" else []
        )
    if not names:
        assert "devloop init DIR" in refusal(root, "local")[0]


def test_yaml_is_imported_only_to_read() -> None:
    code = "import sys, devloop.repository.environments; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
