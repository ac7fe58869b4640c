"""Artifacts that the worker puts together as source-watcher would, seen through what a Kustomization in them renders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.worker import Worker

from ..tarballs import tgz

FILES = ("a/x.yaml", "a/b/x.yaml", "a/b/y.yaml", "c/x.yaml", "top.yaml")


def settings(name: str, **data: Any) -> str:
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name.replace("/", "-")}, "data": data})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(settings(name, file=name))
    (tmp_path / "packed.tgz").write_bytes(tgz({"inside.yaml": settings("inside")}))
    return tmp_path


def build(program: Path, root: Path, copies: list[dict[str, Any]], path: str = "./") -> dict[str, Any]:
    spec = {"path": path, "sourceRef": {"kind": "ExternalArtifact", "name": "made"}}
    body = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "apps"}, "spec": spec}
    made = {"name": "made", "origin": "cluster/generator.yaml", "sources": {"repo": "."}, "copy": copies}
    question = {"scope": "x", "base": ".", "namespace": "default", "name": "apps", "object": body, "artifact": made}
    with Worker(program, root) as worker:
        [answer] = worker.ask_all([{"build": question}])
    result: dict[str, Any] = answer["result"]
    return result


@pytest.mark.parametrize(
    ("copies", "path", "expected"),
    [
        pytest.param(
            [{"from": "@repo/a/**", "to": "@artifact/"}], "./b", ["a/b/x.yaml", "a/b/y.yaml"], id="all in a folder, without its name"
        ),
        pytest.param([{"from": "@repo/a/**", "to": "@artifact/to/"}], "./to/b", ["a/b/x.yaml", "a/b/y.yaml"], id="below another folder"),
        pytest.param(
            [{"from": "@repo/a/**", "to": "@artifact/", "exclude": ["y.yaml"]}], "./", ["a/b/x.yaml", "a/x.yaml"], id="excluded by name"
        ),
        pytest.param([{"from": "@repo/a/**", "to": "@artifact/", "exclude": ["b"]}], "./", ["a/x.yaml"], id="excluded folder"),
        pytest.param([{"from": "@repo/a/**", "to": "@artifact/", "exclude": ["a/b/**"]}], "./", ["a/x.yaml"], id="excluded from the root"),
        pytest.param([{"from": "@repo/a/b", "to": "@artifact/to"}], "./to/b", ["a/b/x.yaml", "a/b/y.yaml"], id="a folder keeps its name"),
        pytest.param([{"from": "@repo/top.yaml", "to": "@artifact/in/"}], "./in", ["top.yaml"], id="a file into a folder"),
        pytest.param([{"from": "@repo/top.yaml", "to": "@artifact/new.yaml"}], "./", ["top.yaml"], id="a file under a new name"),
        pytest.param([{"from": "@repo/*/x.yaml", "to": "@artifact/"}], "./c", ["c/x.yaml"], id="what a pattern matches keeps its folder"),
        pytest.param([{"from": "@repo/**/x.yaml", "to": "@artifact/"}], "./", ["a/x.yaml", "c/x.yaml"], id="two stars are one folder"),
        pytest.param(
            [{"from": "@repo/top.yaml", "to": "@artifact/o.yaml"}, {"from": "@repo/c/x.yaml", "to": "@artifact/o.yaml"}],
            "./",
            ["c/x.yaml"],
            id="the later one wins",
        ),
        pytest.param(
            [{"from": "@repo/a/**", "to": "@artifact/"}, {"from": "@repo/gone.yaml", "to": "@artifact/", "optional": True}],
            "./b",
            ["a/b/x.yaml", "a/b/y.yaml"],
            id="missing and optional",
        ),
        pytest.param([{"from": "@repo/packed.tgz", "to": "@artifact/", "strategy": "Extract"}], "./", ["packed.tgz"], id="unpacked"),
    ],
)
def test_copies_are_those_of_source_watcher(
    worker_program: Path, root: Path, copies: list[dict[str, Any]], path: str, expected: list[str]
) -> None:
    result = build(worker_program, root, copies, path)
    assert "failure" not in result, result["failure"]
    assert sorted(built["origin"] for built in result["objects"]) == expected


@pytest.mark.parametrize("strategy", ["Overwrite", "Extract"])
def test_links_to_folders_lead_nowhere(worker_program: Path, root: Path, strategy: str) -> None:
    (root / "a/round").symlink_to(root)
    (root / "a/again.yaml").symlink_to("..")
    result = build(worker_program, root, [{"from": "@repo/a/**", "to": "@artifact/", "strategy": strategy}])
    found = sorted(built["origin"] for built in result["objects"])
    assert found == (["a/b/x.yaml", "a/b/y.yaml", "a/x.yaml"] if strategy == "Overwrite" else [])


def test_merging_puts_keys_into_keys(worker_program: Path, root: Path) -> None:
    (root / "more.yaml").write_text(yaml.safe_dump({"data": {"file": "more", "colour": "blue"}}))
    copies = [{"from": "@repo/top.yaml", "to": "@artifact/"}, {"from": "@repo/more.yaml", "to": "@artifact/top.yaml", "strategy": "Merge"}]
    [built] = build(worker_program, root, copies)["objects"]
    assert (built["body"]["metadata"]["name"], built["body"]["data"]) == ("top.yaml", {"file": "more", "colour": "blue"})


@pytest.mark.parametrize(
    ("copy", "reason"),
    [
        ({"from": "@repo/gone/**", "to": "@artifact/"}, "nothing matches gone/**"),
        ({"from": "@repo/gone", "to": "@artifact/"}, "gone does not exist"),
        ({"from": "@other/a", "to": "@artifact/"}, "other is none of its sources"),
        ({"from": "a/**", "to": "@artifact/"}, "a/** is not of the form @alias/pattern"),
        ({"from": "@repo/a/**", "to": "@artifact/../x"}, "@artifact/../x does not lie in the artifact"),
        ({"from": "@repo/top.yaml", "to": "@artifact/", "strategy": "Extract"}, "top.yaml is no archive (.tar.gz or .tgz)"),
    ],
)
def test_what_cannot_be_copied_is_told_at_the_generator(worker_program: Path, root: Path, copy: dict[str, Any], reason: str) -> None:
    failure = build(worker_program, root, [copy])["failure"]
    assert (failure["path"], failure["message"]) == ("cluster/generator.yaml", f"the artifact made cannot be made: {reason}")
