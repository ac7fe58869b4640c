"""The build worker builds what `flux build` and Flux's library build."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from .builds import Start, bodies, write

GOLDENS = Path(__file__).parents[4] / "shared/cases/flux-goldens"


@pytest.fixture
def goldens(tmp_path: Path) -> Path:
    if not GOLDENS.is_dir():
        pytest.skip("../shared/cases is not here")
    return Path(shutil.copytree(GOLDENS, tmp_path / "goldens"))


def documents(path: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(path.read_text().replace("{{ .fluxns }}", "flux-system")) if each]


def owned(objects: list[dict[str, Any]], name: str, namespace: str = "flux-system") -> list[dict[str, Any]]:
    """With the labels that kustomize-controller adds when it applies."""
    for each in objects:
        labels = each["metadata"].setdefault("labels", {})
        labels |= {"kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": namespace}
    return objects


@pytest.mark.parametrize(
    ("folder", "golden", "extra"),
    [
        ("podinfo", "podinfo", {"decryption": {"provider": "sops"}}),
        ("delete-service", "podinfo-without-service", {}),
        ("var-substitution", "podinfo-with-var-substitution", {}),
        ("ignore", "podinfo-with-ignore", {}),
    ],
)
def test_flux_build_kustomization_gives_the_same(start: Start, goldens: Path, folder: str, golden: str, extra: dict[str, Any]) -> None:
    root = goldens / "flux2-build-kustomization"
    (root / "ignore/.sourceignore").write_text("/*\n!/configmap.yaml\n!/secret.yaml\n")  # as the options of that test say
    [given] = documents(root / "podinfo-kustomization.yaml")
    given["spec"] |= {"path": folder} | extra
    assert owned(bodies(start(root)("podinfo", given)), "podinfo") == documents(root / f"{golden}-result.yaml")


def test_flux_build_kustomization_gives_the_same_recursively(start: Start, goldens: Path) -> None:
    root = goldens / "flux2-build-kustomization"
    [given] = documents(root / "podinfo-kustomization.yaml")
    given["spec"] |= {"path": "podinfo-with-my-app"}
    build = start(root)
    parents = bodies(build("podinfo", given))
    children = bodies(build("my-app", parents[0]))
    expected = documents(root / "podinfo-with-my-app-result.yaml")
    assert owned(parents, "podinfo") + owned(children, "my-app", "default") == expected


def test_flux_build_library_gives_the_same(start: Start, goldens: Path) -> None:
    root = goldens / "pkg-kustomize"
    (root / "resources/.sourceignore").unlink()  # the library's test overrides it
    [given] = documents(root / "kustomization.yaml")
    given["spec"]["path"] = "resources"
    assert bodies(start(root)("app", given)) == documents(root / "kustomization_expected.yaml")


def test_flux_build_library_gives_the_same_without_what_source_controller_leaves_out(start: Start, goldens: Path) -> None:
    root = goldens / "pkg-kustomize"
    with (root / "resources/.sourceignore").open("a") as ignored:
        ignored.write("!config.yaml\n")  # what the library's test adds to "/*"
    [given] = documents(root / "kustomization.yaml")
    given["spec"]["path"] = "resources"
    assert bodies(start(root)("app", given)) == documents(root / "kustomization_with_ignore_expected.yaml")


def test_flux_build_library_gives_the_same_with_variables(start: Start, goldens: Path) -> None:
    root = goldens / "pkg-kustomize"
    (root / "resources/.sourceignore").unlink()
    write(root, {"vars/configmap.yaml": (root / "configmap.yaml").read_text()})
    [given] = documents(root / "kustomization_varsub.yaml")
    given["spec"]["path"] = "resources"
    build = start(root)
    build("vars", path="./vars")
    assert bodies(build("app", given)) == documents(root / "kustomization_varsub_expected.yaml")
