"""Where Flux enters a repository, with and without a definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.errors import InputError
from devloop.repository.entry_points import EntryPoints, load, names

INSTANCE = "kind: FluxInstance\nspec:\n  sync: {{kind: GitRepository, path: {path}}}\n"
CHART = "kind: HelmRelease\nspec:\n  values:\n    instance:\n      sync:\n        path: ./cluster/base\n"
VALUES = "instance:\n  sync:\n    kind: GitRepository\n    path: cluster/base\n"
CONFIG_MAP = "kind: ConfigMap\ndata:\n  values.yaml: |\n    instance:\n      sync:\n        path: cluster/base\n"
DEFINITION = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\nspec:\n  workload: {sourceDirectory: k8s, kustomizationFile: clusters/local}\n"


def flux(path: str, name: str = "apps", source: str = "{kind: GitRepository, name: flux-system}") -> str:
    return (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: {name}, namespace: flux-system}}\nspec:\n  path: {path}\n  sourceRef: {source}\n"
    )


def resources(*names: str) -> str:
    return "resources:\n" + "".join(f"  - {name}\n" for name in names)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(root: Path) -> dict[str, str]:
    entries = EntryPoints(root)
    return {name: entries.load(name).entry_path for name in entries.names}


def test_what_flux_bootstrap_wrote_tells_the_folder_around_it(tmp_path: Path) -> None:
    write(tmp_path, {f"clusters/{name}/flux-system/gotk-sync.yaml": "" for name in ("staging", "production")})
    assert found(tmp_path) == {"production": "clusters/production", "staging": "clusters/staging"}
    assert names(tmp_path) == ("production", "staging")
    assert load(tmp_path, "staging").definition.path == "clusters/staging/flux-system/gotk-sync.yaml"


@pytest.mark.parametrize("text", [INSTANCE.format(path="cluster/base/"), f"a: b\n---\n{CHART}", VALUES, CONFIG_MAP])
def test_a_flux_instance_tells_its_path(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"cluster/base/apps.yaml": "", "flux/instance.yaml": text})
    assert found(tmp_path) == {"base": "cluster/base"}


@pytest.mark.parametrize(
    "text", [INSTANCE.format(path=path) for path in ("nowhere", "../outside", "/etc", "[a]")] + ["kind: FluxInstance\nsync: [", ""]
)
def test_what_leads_nowhere_is_none(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"instance.yaml": text})
    assert found(tmp_path) == {}
    with pytest.raises(InputError, match="no KSail definition"):
        load(tmp_path, "base")


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, {f"{folder}/prod/flux-system/gotk-sync.yaml": "" for folder in ("a", "b")})
    assert found(tmp_path) == {"a-prod": "a/prod", "b-prod": "b/prod"}
    with pytest.raises(InputError, match="a-prod and b-prod"):
        load(tmp_path, "prod")


def test_a_definition_does_not_hide_other_entries(tmp_path: Path) -> None:
    write(tmp_path, {"clusters/staging/flux-system/gotk-sync.yaml": "", "clusters/dev/ksail.yaml": "kind: Cluster\n"})
    assert names(tmp_path) == ("dev", "staging")


def test_what_a_definition_enters_counts_once(tmp_path: Path) -> None:
    write(tmp_path, {"k8s/clusters/local/flux-system/gotk-sync.yaml": flux("./k8s/clusters/local"), "ksail.yaml": DEFINITION})
    assert names(tmp_path) == ("local",)


def test_a_kustomization_that_applies_its_own_file_is_a_root(tmp_path: Path) -> None:
    write(tmp_path, {"fleet/prod/root.yaml": flux("./fleet/prod"), "fleet/prod/apps.yaml": flux("./apps"), "apps/a.yaml": ""})
    assert found(tmp_path) == {"prod": "fleet/prod"}


def test_a_kustomization_that_its_folder_does_not_list_is_no_root(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "clusters/dev/flux-system/gotk-sync.yaml": flux("./clusters/dev"),
            "clusters/dev/kustomization.yaml": resources("flux-system", "team.yaml"),
            "clusters/dev/team.yaml": flux("./team"),
            "team/kustomization.yaml": resources("app.yaml"),
            "team/unlisted.yaml": flux("./team"),
            "team/app.yaml": "",
        },
    )
    assert found(tmp_path) == {"dev": "clusters/dev"}


def test_what_another_entry_applies_is_no_root(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"clusters/dev/flux-system/gotk-sync.yaml": flux("./clusters/dev"), "clusters/dev/apps/all.yaml": flux("./clusters/dev/apps")},
    )
    assert found(tmp_path) == {"dev": "clusters/dev"}


def test_another_repository_is_no_root(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"clusters/dev/root.yaml": flux("./clusters/dev"), "infra/sync.yaml": flux("./", "kyverno", "{kind: OCIRepository, name: x}")},
    )
    assert found(tmp_path) == {"dev": "clusters/dev"}


def test_folders_beside_an_entry_with_its_shape_are_entries(tmp_path: Path) -> None:
    layers = {f"k8s/clusters/{name}/kustomization.yaml": resources("apps.yaml") for name in ("local", "prod", "gone")}
    layers |= {f"k8s/clusters/{name}/apps.yaml": flux("./apps") for name in ("local", "prod")}
    shared = {"k8s/clusters/base/kustomization.yaml": resources("settings.yaml"), "k8s/clusters/base/settings.yaml": "kind: ConfigMap\n"}
    write(tmp_path, {"ksail.yaml": DEFINITION, **layers, **shared, "k8s/clusters/archive/kustomization.yaml": resources("../prod")})
    assert names(tmp_path) == ("local", "prod")
    prod = load(tmp_path, "prod").definition
    assert (prod.path, prod.source_directory, prod.entry_path) == ("k8s/clusters/prod/kustomization.yaml", "k8s", "clusters/prod")


def test_components_beside_an_entry_are_none(tmp_path: Path) -> None:
    component = "kind: Component\npatches:\n  - patch: |-\n      apiVersion: kustomize.toolkit.fluxcd.io/v1\n      kind: Kustomization\n"
    write(
        tmp_path,
        {
            "flux.yaml": INSTANCE.format(path="cluster/base"),
            "cluster/base/apps.yaml": flux("./apps"),
            "cluster/components/variables/kustomization.yaml": component,
            "cluster/components/other/apps.yaml": flux("./apps"),
        },
    )
    assert found(tmp_path) == {"base": "cluster/base"}


def test_without_anything_else_the_roots_of_the_forest_are_entries(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sites/one/all.yaml": flux("./groups"),
            "groups/web.yaml": flux("./web", "web"),
            "web/a.yaml": "kind: ConfigMap\n",
            "sites/two/all.yaml": flux("./groups"),
            "examples/more/all.yaml": flux("./groups"),
        },
    )
    assert found(tmp_path) == {"one": "sites/one", "two": "sites/two"}


def test_of_those_that_apply_each_other_the_first_is_an_entry(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"sites/a/k.yaml": flux("./sites/b", "a"), "sites/b/k.yaml": flux("./sites/a", "b"), "alone/k.yaml": flux("./sites/a", "c")},
    )
    assert found(tmp_path) == {"alone": "alone"}
    (tmp_path / "alone/k.yaml").unlink()
    assert found(tmp_path) == {"a": "sites/a"}


def test_a_folder_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"clusters/dev/root.yaml": flux("./clusters/dev"), "clusters/secret/root.yaml": flux("./clusters/secret")})
    (tmp_path / "clusters/secret").chmod(0)
    try:
        assert "dev" in found(tmp_path)
    finally:
        (tmp_path / "clusters/secret").chmod(0o755)


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Two that lead up would have 2^40 paths."""
    write(tmp_path, {"clusters/dev/root.yaml": flux("./clusters/dev"), "clusters/dev/more/apps.yaml": flux("./apps"), "apps/a.yaml": ""})
    for name in ("up", "again"):
        (tmp_path / "clusters/dev/more" / name).symlink_to("../..", target_is_directory=True)
    assert found(tmp_path) == {"dev": "clusters/dev"}


def test_paths_count_from_a_folder_that_is_a_repository_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"fleet/clusters/prod/flux-system/gotk-sync.yaml": flux("./clusters/prod"), "fleet/apps/a.yaml": ""})
    environment = load(tmp_path, "prod")
    assert (environment.definition.source_directory, environment.entry_path) == ("fleet", "fleet/clusters/prod")


SETTINGS = "environments:\n  prod: {path: tenants/prod}\n  dev: {definition: clusters/dev/ksail.yaml, kubernetesVersion: v1.35.0}\n"


def test_what_devloop_yaml_names_comes_first(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "devloop.yaml": SETTINGS,
            "tenants/prod/flux-system/gotk-sync.yaml": flux("./tenants/prod"),
            "clusters/dev/ksail.yaml": DEFINITION,
            "k8s/clusters/local/a.yaml": "",
        },
    )
    assert names(tmp_path) == ("dev", "prod")
    assert load(tmp_path, "prod").entry_path == "tenants/prod"
    assert load(tmp_path, "dev").definition.kubernetes_version == "v1.35.0"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("environments:\n  prod: {}\n", 2, "neither a path nor a definition"),
        ("environments:\n  prod:\n    path: nowhere\n", 2, "is not a folder of the repository"),
        ("environments:\n  prod:\n    path: ../elsewhere\n", 2, "is not a folder of the repository"),
        ("environments:\n  prod:\n    folder: a\n", 3, "unknown key environments.prod.folder"),
        ("environments: [prod]\n", 1, "must be a mapping"),
        ("environments:\n  prod: {path: a/b, source: c}\n", 2, "which does not contain 'a/b'"),
        ("environments:\n  prod: {definition: nowhere.yaml}\n", 0, "does not exist"),
    ],
)
def test_a_named_environment_that_leads_nowhere(tmp_path: Path, text: str, line: int, message: str) -> None:
    write(tmp_path, {"devloop.yaml": text, "a/b/c.yaml": ""})
    with pytest.raises(InputError) as error:
        load(tmp_path, "prod")
    [problem] = error.value.problems
    assert message in problem.message
    assert problem.line == line


def test_a_path_for_once(tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/apps.yaml": flux("./apps"), "ksail.yaml": DEFINITION})
    assert load(tmp_path, "trial", path=Path("elsewhere")).entry_path == "elsewhere"
    assert load(tmp_path, "local", path=Path("elsewhere")).definition.generation
    with pytest.raises(InputError, match="is not a folder in"):
        load(tmp_path, "local", path=Path("/etc"))


def test_local_is_the_only_definition(tmp_path: Path) -> None:
    write(tmp_path, {"ksail.yaml": "metadata: {name: home}\n" + DEFINITION, "clusters/prod/flux-system/gotk-sync.yaml": ""})
    assert load(tmp_path, "local").definition.path == "ksail.yaml"


def test_a_wrong_name_says_which_there_are(tmp_path: Path) -> None:
    write(tmp_path, {f"clusters/{name}/flux-system/gotk-sync.yaml": "" for name in ("staging", "production")})
    with pytest.raises(InputError, match="it has production and staging") as error:
        load(tmp_path, "stagin")
    assert "did you mean staging?" in str(error.value.hint)
