"""Where Flux enters a repository without a definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.errors import InputError
from devloop.repository.entry_points import entries, load, names

INSTANCE = "kind: FluxInstance\nspec:\n  sync: {{kind: GitRepository, path: {path}}}\n"
CHART = "kind: HelmRelease\nspec:\n  values:\n    instance:\n      sync:\n        path: ./cluster/base\n"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".yaml").write_text(text)


def found(root: Path) -> dict[str, str]:
    return {environment.name: environment.entry_path for environment in entries(root)}


def test_what_flux_bootstrap_wrote_tells_the_folder_around_it(tmp_path: Path) -> None:
    write(tmp_path, **{"clusters__staging__flux-system__gotk-sync": "", "clusters__production__flux-system__gotk-sync": ""})
    assert found(tmp_path) == {"production": "clusters/production", "staging": "clusters/staging"}
    assert names(tmp_path) == ("production", "staging")
    assert load(tmp_path, "staging").definition.path == "clusters/staging/flux-system/gotk-sync.yaml"


@pytest.mark.parametrize("text", [INSTANCE.format(path="cluster/base/"), f"a: b\n---\n{CHART}"])
def test_a_flux_instance_tells_its_path(tmp_path: Path, text: str) -> None:
    write(tmp_path, cluster__base__apps="", flux__instance=text)
    assert found(tmp_path) == {"base": "cluster/base"}


@pytest.mark.parametrize(
    "text", [INSTANCE.format(path=path) for path in ("nowhere", "../outside", "/etc", "[a]")] + ["kind: FluxInstance\nsync: [", ""]
)
def test_what_leads_nowhere_is_none(tmp_path: Path, text: str) -> None:
    write(tmp_path, instance=text)
    assert found(tmp_path) == {}
    with pytest.raises(InputError, match="no KSail definition"):
        load(tmp_path, "base")


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, **{"a__prod__flux-system__gotk-sync": "", "b__prod__flux-system__gotk-sync": ""})
    assert found(tmp_path) == {"a-prod": "a/prod", "b-prod": "b/prod"}
    with pytest.raises(InputError, match="a-prod and b-prod"):
        load(tmp_path, "prod")


def test_a_definition_comes_before_anything_else(tmp_path: Path) -> None:
    write(
        tmp_path, **{"clusters__staging__flux-system__gotk-sync": "", "ksail": "kind: Cluster\n", "clusters__dev__ksail": "kind: Cluster\n"}
    )
    assert "staging" not in names(tmp_path)
