"""Which sources are the repository, and what of it they have."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from devloop.clients.worker import Worker
from devloop.model.flux.graph import NodeState
from devloop.repository.file_index import absent_paths, ignored_paths
from devloop.repository.graph import build_graph

from .graphs import Survey, environment, flux, named, settings, states


def git(name: str, url: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "flux-system"}
    return {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": metadata, "spec": {"url": url}}


def test_sources_stand_for_the_repository_or_for_something_else(repository: Any, look: Survey) -> None:
    sources = [git("mine", "ssh://git@example.com/me/mine.git"), git("theirs", "https://example.com/they/theirs")]
    children = [
        flux("by-address", source="GitRepository/mine"),
        flux("foreign", source="GitRepository/theirs"),
        flux("by-path", source="GitRepository/made-by-hand"),
        flux("by-path-too", "./gone", source="GitRepository/made-by-hand"),
        flux("no-such-path", "./gone", source="GitRepository/made-by-hand-elsewhere"),
        flux("artifact", source="ExternalArtifact/made"),
    ]
    graph = look(repository({"cluster/k.yaml": [*sources, *children], "apps/a.yaml": settings()}), remotes=("git@example.com:me/mine",))
    assert states(graph) == {
        "flux-system": "built",
        "by-address": "built",
        "foreign": "foreign",
        "by-path": "built",
        "by-path-too": "failed",
        "no-such-path": "foreign",
        "artifact": "foreign",
    }
    assert {source.name for source in graph.own_sources} == {"mine", "made-by-hand"}


def test_a_source_without_remotes_is_the_repository_if_all_folders_are_here(repository: Any, look: Survey) -> None:
    sources = [
        git("mine", "https://git.example/mine"),
        git("theirs", "https://git.example/theirs"),
        git("whole", "https://git.example/whole"),
    ]
    children = [
        flux("a", source="GitRepository/mine"),
        flux("b", source="GitRepository/theirs"),
        flux("c", "./gone", source="GitRepository/theirs"),
        flux("d", "./", source="GitRepository/whole"),
    ]
    graph = look(repository({"cluster/k.yaml": [*sources, *children], "apps/a.yaml": settings()}))
    assert states(graph) == {"flux-system": "built", "a": "built", "b": "foreign", "c": "foreign", "d": "foreign"}


def source(name: str, **spec: Any) -> dict[str, Any]:
    made = git(name, "https://git.example/mine.git")
    return made | {"spec": made["spec"] | spec}


def test_spec_ignore_of_the_repositorys_own_source_counts(repository: Any, look: Survey) -> None:
    mine = source("flux-system", ignore="/apps/*\n!/apps/kept.yaml\n/left/\n/cluster/broken.yaml\n")
    files = {
        "cluster/k.yaml": [mine, flux("apps"), flux("left", "./left")],
        "cluster/broken.yaml": "a: [",
        "apps/kept.yaml": settings("kept"),
        "apps/not.yaml": settings("not"),
        "left/a.yaml": settings("left"),
    }
    graph = look(repository({**files, "cluster/kustomization.yaml": "resources: [k.yaml]"}))
    assert states(graph) == {"flux-system": "built", "apps": "built", "left": "failed"}
    assert [str(manifest) for manifest in named(graph, "apps").manifests] == ["ConfigMap/flux-system/kept"]


def test_what_include_brings_is_unknown_and_not_missing(repository: Any, look: Survey) -> None:
    shared = [{"repository": {"name": "shared"}, "toPath": path} for path in ("vendor/shared", "/top/shared")]
    mine = source("flux-system", include=[*shared, {"repository": {"name": "more"}}])
    children = [
        flux("from-top", "./top/shared/deep"),
        flux("folder", "./vendor/shared/deep"),
        flux("above", "./vendor"),
        flux("base", "./base"),
        flux("by-name", "./more"),
        flux("whole", "./", dependsOn=[{"name": "here"}]),
        flux("gone", "./vendored"),
        flux("here"),
    ]
    files = {"base/kustomization.yaml": "resources: [../vendor/shared/base]", "apps/a.yaml": settings()}
    graph = look(repository({"cluster/k.yaml": [mine, *children], **files}))
    unknown = dict.fromkeys(("from-top", "folder", "above", "base", "by-name", "whole"), "unknown")
    assert states(graph) == {"flux-system": "built", **unknown, "gone": "failed", "here": "built"}


def test_what_git_does_not_keep_is_not_in_the_source(repository: Any, worker_program: Path) -> None:
    names = ("ignored", "file", "nested", "tracked")
    root = repository({f"{name}/a.yaml": settings(name) for name in names} | {"file/b.yaml": settings("b"), "lib/x.yaml": settings("x")})
    repository({"cluster/k.yaml": [*(flux(name, f"./{name}") for name in names), flux("in-nested", "./lib/sub")], "lib/sub/y.yaml": ""})
    repository({".gitignore": "/ignored\n/file/b.yaml\n/tracked\n", "ignored/.sourceignore": "x"})
    for folder in (root, root / "nested", root / "lib"):
        subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    subprocess.run(["git", "-C", str(root), "add", "--force", "tracked"], check=True)
    with Worker(worker_program, root, ignored=ignored_paths) as worker:
        graph = build_graph(environment(root), worker)
    assert states(graph) == {
        "flux-system": "built",
        "ignored": "failed",
        "file": "built",
        "nested": "built",
        "tracked": "built",
        "in-nested": "failed",
    }
    counts = {name: len(named(graph, name).manifests) for name in names}
    assert counts == {"ignored": 0, "file": 1, "nested": 0, "tracked": 1}
    ignored, nested = named(graph, "ignored").failure, named(graph, "in-nested").failure
    assert ignored and "ignored is ignored by Git" in str(ignored.hint)
    assert nested and "lib is a separate Git repository" in str(nested.hint)


def test_what_a_sparse_checkout_left_out_is_unknown(repository: Any, worker_program: Path) -> None:
    children = [flux("here", "./here"), flux("left-out", "./left-out"), flux("base", "./base"), flux("gone", "./gone")]
    root = repository({"cluster/k.yaml": children, "here/a.yaml": settings(), "left-out/a.yaml": settings("b")})
    repository({"base/kustomization.yaml": "resources: [../left-out/a.yaml]"})
    for arguments in (["init", "--quiet"], ["add", "--all"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", "-C", str(root), *arguments], check=True)
    subprocess.run(["git", "-C", str(root), "sparse-checkout", "set", "cluster", "here", "base"], check=True)
    with Worker(worker_program, root, absent=absent_paths) as worker:
        graph = build_graph(environment(root), worker)
    assert states(graph) == {"flux-system": "built", "here": "built", "left-out": "unknown", "base": "unknown", "gone": "failed"}


def test_submodules_are_fetched_where_the_source_says_so(repository: Any, look: Survey) -> None:
    files = {
        "cluster/k.yaml": [source("flux-system", recurseSubmodules=True), flux("here", "./lib"), flux("elsewhere", "./gone")],
        ".gitmodules": '[submodule "lib"]\n\tpath = lib\n[submodule "gone"]\n\tpath = gone\n',
        "lib/.git": "gitdir: ../.git/modules/lib",
        "lib/a.yaml": settings(),
    }
    assert states(look(repository(files))) == {"flux-system": "built", "here": "built", "elsewhere": "unknown"}


def test_a_link_is_no_folder_and_the_failure_says_why(repository: Any, look: Survey) -> None:
    root = repository({"cluster/k.yaml": flux("apps", "./linked"), "apps/a.yaml": settings()})
    (root / "linked").symlink_to("apps")
    failure = named(look(root), "apps").failure
    assert failure and str(failure.hint).startswith("linked is a symbolic link, which Flux leaves out of a source: refer to apps")


def test_a_sparse_checkout_leaves_the_rest_out(repository: Any, look: Survey) -> None:
    files = {"apps/a.yaml": settings(), "more/a.yaml": settings("more")}
    mine = source("flux-system", sparseCheckout=["./cluster", "apps"])
    graph = look(repository({"cluster/k.yaml": [mine, flux("apps"), flux("more", "./more")], **files}))
    assert states(graph) == {"flux-system": "built", "apps": "built", "more": "failed"}
    assert named(graph, "more").failure.hint == "more is not in spec.sparseCheckout of its source: add its folder there"


def generator(name: str, source: str, *copies: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "source.extensions.fluxcd.io/v1beta1",
        "kind": "ArtifactGenerator",
        "metadata": {"name": "generator", "namespace": "flux-system"},
        "spec": {
            "sources": [{"alias": "repo", "kind": "GitRepository", "name": source}],
            "artifacts": [{"name": name, "copy": list(copies)}],
        },
    }


def test_an_artifact_made_of_the_repository_is_built_from_the_files_that_it_copies(repository: Any, look: Survey) -> None:
    copies = [
        {"from": "@repo/base/**", "to": "@artifact/base/", "exclude": ["*.md"]},
        {"from": "@repo/live/apps/**", "to": "@artifact/apps/"},
    ]
    files = {
        "cluster/k.yaml": [generator("made", "flux-system", *copies), flux("apps", source="ExternalArtifact/made")],
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": settings(),
        "base/README.md": "# words",
        "live/apps/kustomization.yaml": "resources: [../base]\n",
    }
    node = named(look(repository(files)), "apps")
    assert (node.state, node.directory, node.files) == (
        NodeState.BUILT,
        "live/apps",
        ("base/a.yaml", "base/kustomization.yaml", "live/apps/kustomization.yaml"),
    )
    assert [manifest.origin.path for manifest in node.manifests] == ["base/a.yaml"]


def test_an_artifact_that_cannot_be_made_is_told_at_its_generator(repository: Any, look: Survey) -> None:
    copied = generator("made", "flux-system", {"from": "@repo/gone/**", "to": "@artifact/"})
    failure = named(look(repository({"cluster/k.yaml": [copied, flux("apps", source="ExternalArtifact/made")]})), "apps").failure
    assert failure and (failure.path, failure.message) == ("cluster/k.yaml", "the artifact made cannot be made: nothing matches gone/**")


def test_an_artifact_of_something_foreign_is_foreign_too(repository: Any, look: Survey) -> None:
    copied = generator("made", "theirs", {"from": "@repo/apps/**", "to": "@artifact/"})
    files = [git("theirs", "https://example.com/they/theirs"), copied, flux("apps", source="ExternalArtifact/made")]
    assert states(look(repository({"cluster/k.yaml": files}))) == {"flux-system": "built", "apps": "foreign"}
