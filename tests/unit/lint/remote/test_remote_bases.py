"""Remote bases: skipped unless they may be fetched, then fetched like Kustomize from local Git and HTTP servers."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from devloop.gitserver.git_server import Server, git_env
from devloop.model.report import Report

from .remotes import HERE, KUSTOMIZATION, PASSWORD, WEB, Check, Files, committed, failures, git, repository


def images(report: Report) -> list[str]:
    return [f"{f.path}:{f.line} {' '.join(map(str, f.related))}".strip() for f in report.findings if f.rule == "images/latest"]


def test_nothing_is_fetched_without_permission(web: str, check: Check, tmp_path: Path) -> None:
    report = check(repository(tmp_path / "here", f"{web}/web.yaml"), allowed=False)
    assert report.kustomizations[1].message == "0 objects; 1 remote base not checked here"
    assert (failures(report), Files.asked) == ([], [])


@pytest.mark.parametrize("before", ["", "git::"])
@pytest.mark.parametrize("ref", ["", "?ref=main", "?ref=v1", "?ref=COMMIT", "?ref=main&submodules=false"])
def test_a_repository_is_built_from(before: str, ref: str, upstream: Path, check: Check, tmp_path: Path) -> None:
    git(upstream, "tag", "v1")
    ref = ref.replace("COMMIT", git(upstream, "rev-parse", "HEAD"))
    report = check(repository(tmp_path / "here", f"{before}file://{upstream}//apps{ref}"))
    assert (failures(report), images(report)) == ([], [HERE])
    assert report.kustomizations[1].message == "1 objects"


def test_a_patch_of_a_remote_object_is_named(upstream: Path, check: Check, tmp_path: Path) -> None:
    root = repository(tmp_path / "here", f"file://{upstream}//apps", "patches: [{path: patch.yaml}]\n", apps__patch=WEB)
    assert images(check(root)) == [f"apps/patch.yaml:7 a patch for the object in {HERE}"]


def test_a_file_and_a_patch_come_from_a_server(web: str, check: Check, tmp_path: Path) -> None:
    Files.files = {"/some/path/web.yaml": WEB.replace("latest", "1"), "/patch.yaml": WEB}
    root = repository(tmp_path / "here", f"{web}/some/path/web.yaml", f"patches: [{{path: '{web}/patch.yaml'}}]\n")
    report = check(root)
    assert (failures(report), images(report)) == ([], ["apps/kustomization.yaml:5 a patch for the object in apps/kustomization.yaml:4"])


def test_a_file_with_a_parameter_is_not_a_repository(web: str, check: Check, tmp_path: Path) -> None:
    Files.files = {"/api/files/raw?ref=main": WEB}
    report = check(repository(tmp_path / "here", f"{web}/api/files/raw?ref=main"))
    assert (failures(report), images(report)) == ([], [HERE])


GENERATORS = """
configMapGenerator:
- {name: one, files: [a.json=WEB/a//a.json, WEB/b.json], namespace: default}
- {name: two, env: WEB/two.env, envs: [WEB/more.env], namespace: default}
secretGenerator: [{name: three, files: [WEB/three.txt], namespace: default}]
"""


def test_files_of_generators_come_from_a_server(web: str, check: Check, tmp_path: Path) -> None:
    Files.files = {"/a//a.json": "<{}>", "/b.json": "<{}>", "/two.env": "A=b", "/more.env": "B=c", "/three.txt": "c"}
    root = repository(tmp_path / "here", "web.yaml", GENERATORS.replace("WEB", web), apps__web=WEB)
    skipped, fetched = check(root, allowed=False), check(root)
    assert (failures(skipped), skipped.kustomizations[1].message) == ([], "4 objects; 5 remote bases not checked here")
    assert (failures(fetched), fetched.kustomizations[1].message) == ([], "4 objects")
    del Files.files["/b.json"]
    [failure] = failures(check(repository(tmp_path / "gone", "web.yaml", GENERATORS.replace("WEB", web), apps__web=WEB)))
    assert failure.startswith(f"apps/kustomization.yaml:7 flux-system/apps does not build: cannot fetch {web}/b.json: ")


@pytest.mark.parametrize("field", ["openapi: {path: WEB/a.json}", "resources: [HTTPS://gone.invalid/a.yaml]"])
def test_every_file_by_url_is_remote(field: str, web: str, check: Check, tmp_path: Path) -> None:
    root = repository(tmp_path / "here", "web.yaml", field.replace("WEB", web), apps__web=WEB)
    report = check(root, allowed=False)
    assert (failures(report), "1 remote base not checked here" in report.kustomizations[1].message) == ([], True)


def test_a_ref_is_not_an_option(upstream: Path, check: Check, tmp_path: Path) -> None:
    ref = f"--upload-pack=touch${{IFS}}{tmp_path}/bad"
    assert failures(check(repository(tmp_path / "here", f"file://{upstream}//apps?ref={ref}")))
    assert not (tmp_path / "bad").exists()


def test_remote_bases_may_use_other_remote_bases(upstream: Path, web: str, check: Check, tmp_path: Path) -> None:
    Files.files = {"/more.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: default}\n"}
    text = f"{KUSTOMIZATION}resources:\n  - file://{upstream}//apps?ref=main\n  - {web}/more.yaml\n"
    outer = committed(tmp_path / "outer", {"kustomization.yaml": text})
    report = check(repository(tmp_path / "here", f"file://{outer}"))
    assert (failures(report), report.kustomizations[1].message, images(report)) == ([], "2 objects", [HERE])


def test_a_server_gets_the_password_of_the_url(upstream: Path, check: Check, tmp_path: Path) -> None:
    env = git_env({"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    with Server(("127.0.0.1", 0), upstream.parent, {"flux": PASSWORD}, env) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{server.server_address[1]}/devloop.git//apps?ref=main"
        right = check(repository(tmp_path / "right", f"http://flux:{PASSWORD}@{place}"))
        wrong = check(repository(tmp_path / "wrong", f"http://flux:{PASSWORD}2@{place}"))
        none = check(repository(tmp_path / "none", f"http://{place}"))
        server.shutdown()
    assert (failures(right), images(right)) == ([], [HERE])
    for report in (wrong, none):
        [failure] = failures(report)
        assert failure.startswith(f"{HERE} flux-system/apps does not build: cannot fetch http://{place}: ")
        assert "Git must be able to sign in without asking" in failure
        assert PASSWORD not in repr(report)


def test_a_branch_is_fetched_again_and_a_commit_is_not(upstream: Path, check: Check, tmp_path: Path) -> None:
    commit = git(upstream, "rev-parse", "HEAD")
    branch = repository(tmp_path / "branch", f"file://{upstream}//apps?ref=main")
    pinned = repository(tmp_path / "pinned", f"file://{upstream}//apps?ref={commit}")
    assert [images(check(root, store=tmp_path / "store")) for root in (branch, pinned)] == [[HERE], [HERE]]
    committed(upstream, {"web/web.yaml": WEB.replace("latest", "2")})
    assert [images(check(root, store=tmp_path / "store")) for root in (branch, pinned)] == [[], [HERE]]
    upstream.rename(tmp_path / "gone")
    assert images(check(pinned, store=tmp_path / "store")) == [HERE]
    assert failures(check(branch, store=tmp_path / "store"))
