"""Remote bases: skipped unless they may be fetched, then fetched like Kustomize from local Git and HTTP servers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from devloop.clients.remote_fetch import Fetcher
from devloop.clients.worker import Worker
from devloop.gitserver.git_server import Server, git_env
from devloop.lint.run import Selection, validate
from devloop.lint.scope import LintScope
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.model.report import Report

KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 10m
  timeout: 1m
  prune: true
  path: ./apps
  sourceRef: {kind: GitRepository, name: flux-system}
"""
WEB = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
    - name: web
      image: example.org/web:latest
"""
PASSWORD = "pass-word-1"

Check = Callable[..., Report]

PATIENCE = 30  # seconds


class Files(BaseHTTPRequestHandler):
    """Serves files by path; an unknown path is a 404, and /hangs does not answer until the test ends."""

    files: ClassVar[dict[str, str]] = {}
    asked: ClassVar[list[str]] = []
    silent: ClassVar[threading.Event] = threading.Event()
    over: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/hangs"):
            self.silent.set()
            self.over.wait(PATIENCE)
        content = self.files.get(self.path)
        self.send_response(200 if content is not None else 404)
        self.end_headers()
        self.wfile.write((content or "").encode())

    def log_message(self, *_: object) -> None:
        """Not on the tests' terminal."""


@pytest.fixture
def web() -> Iterator[str]:
    Files.files, Files.asked = {}, []
    Files.silent.clear()
    Files.over.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        Files.over.set()
        server.shutdown()


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository with a base that uses a sibling folder."""
    files = {
        "apps/kustomization.yaml": KUSTOMIZATION + "resources: [../web]\n",
        "web/kustomization.yaml": KUSTOMIZATION + "resources: [web.yaml]\nlabels: [{pairs: {from: afar}}]\n",
        "web/web.yaml": WEB,
    }
    # Where our own server of Git wants it.
    return committed(tmp_path / "served" / "devloop.git", files)


def committed(folder: Path, files: Mapping[str, str]) -> Path:
    write(folder, files)
    if not (folder / ".git").is_dir():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--no-gpg-sign", "--message=a")
    return folder


def git(folder: Path, *arguments: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout.strip()


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def repository(root: Path, resource: str, more: str = "", **files: str) -> Path:
    write(root, {"cluster/apps.yaml": FLUX, "apps/kustomization.yaml": f"{KUSTOMIZATION}resources:\n  - {resource}\n{more}"})
    return write(root, {name.replace("__", "/") + ".yaml": text for name, text in files.items()})


@pytest.fixture
def check(worker_program: Path, tmp_path: Path) -> Check:
    """Validates a repository whose entry path is cluster/."""

    def check(root: Path, *, allowed: bool = True, limit: float = 20.0, store: Path | None = None, rule: str = "") -> Report:
        definition = ClusterDefinition("local", "G3", "ksail.yaml", source_directory=".", entry_path="cluster")
        known = LintScope(root, (Environment("local", root, definition),))
        fetcher = Fetcher(tmp_path / "cache", limit=limit) if allowed else None
        try:
            with Worker(worker_program, root, store=store) as worker:
                return validate(known, worker, Selection(rules=(rule,) if rule else ()), fetcher)
        finally:
            if fetcher:
                fetcher.close()

    return check


def images(report: Report) -> list[str]:
    return [f"{f.path}:{f.line} {' '.join(map(str, f.related))}".strip() for f in report.findings if f.rule == "images/latest"]


def failures(report: Report) -> list[str]:
    return [f"{f.path}:{f.line} {f.message} | {f.hint}" for f in report.findings if f.rule == "build/failed"]


HERE = "apps/kustomization.yaml:4"


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


# -- again -----------------------------------------------------------------------------------------------------------------------------


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


# -- what goes wrong -------------------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_every_failure_has_a_location_and_a_hint(upstream: Path, web: str, check: Check, tmp_path: Path) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    reasons = {
        f"{web}/gone.yaml": "the server says 404 Not Found",
        f"{closed}/a.yaml": "connection refused",
        f"{closed}/a/b.git//c": "failed to connect to 127.0.0.1 port",
        f"file://{upstream}//apps?ref=nowhere": "the repository has no ref nowhere",
        f"file://{tmp_path}/nothing//apps": "does not appear to be a git repository",
    }
    for number, (name, reason) in enumerate(reasons.items()):
        [failure] = failures(check(repository(tmp_path / f"here-{number}", name)))
        assert failure.startswith(f"{HERE} flux-system/apps does not build: cannot fetch {name}: "), failure
        assert reason in failure
        assert not failure.endswith("| "), failure


def test_a_missing_folder_of_the_repository_is_reported(upstream: Path, check: Check, tmp_path: Path) -> None:
    name = f"file://{upstream}//nowhere?ref=main"
    [failure] = failures(check(repository(tmp_path / "here", name)))
    assert failure.startswith(f"{HERE} ")
    assert name in failure
    assert "/remote/" not in failure


def test_a_file_that_is_not_a_manifest_is_reported_with_its_name(web: str, check: Check, tmp_path: Path) -> None:
    Files.files = {"/a.yaml": "a: [\n"}
    report = check(repository(tmp_path / "here", f"{web}/a.yaml"))
    [syntax] = [finding for finding in report.findings if finding.rule in ("yaml/syntax", "build/failed")]
    assert (syntax.path, syntax.line) == ("apps/kustomization.yaml", 4)


def test_a_remote_base_reads_nothing_outside_its_repository(check: Check, tmp_path: Path) -> None:
    text = KUSTOMIZATION + "configMapGenerator: [{name: a, files: [../../source/apps/secret.yaml]}]\n"
    outer = committed(tmp_path / "outer", {"kustomization.yaml": text})
    [failure] = failures(check(repository(tmp_path / "here", f"file://{outer}", apps__secret="a: b\n")))
    assert failure.startswith(f"{HERE} ")
    assert "outside of itself" in failure


def test_a_server_that_does_not_answer_times_out(web: str, check: Check, tmp_path: Path) -> None:
    for number, name in enumerate((f"{web}/hangs.yaml", f"{web}/hangs/a.git//b")):
        [failure] = failures(check(repository(tmp_path / f"here-{number}", name), limit=1.0))
        assert "no answer within 1 s" in failure


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [("validate", "--allow-remote"), ("render", "cluster", "--allow-remote")])
def test_an_interrupt_stops_a_fetch(
    command: tuple[str, ...], number: signal.Signals, worker_program: Path, web: str, tmp_path: Path
) -> None:
    root = repository(tmp_path / "here", f"{web}/hangs/a.git//b")
    write(root, {"cluster/flux-system/gotk-sync.yaml": ""})
    git(root, "init", "--quiet")
    with subprocess.Popen(
        [sys.executable, "-m", "devloop", "-C", str(root), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")},
    ) as run:
        assert Files.silent.wait(PATIENCE), run.communicate()
        started = [child for child in psutil.Process(run.pid).children(recursive=True) if "git" in child.name()]
        run.send_signal(number)
        out, err = run.communicate(timeout=15)
    assert (run.returncode, b"Traceback" in err) == (130, False), (out, err)
    assert not psutil.wait_procs(started, timeout=5)[1]


def test_a_password_in_a_url_is_never_shown(worker_program: Path, tmp_path: Path) -> None:
    root = repository(tmp_path / "here", f"http://me:{PASSWORD}@127.0.0.1:{free_port()}/a.git//b?ref=main")
    write(root, {"cluster/flux-system/gotk-sync.yaml": ""})
    git(root, "init", "--quiet")
    for output in ("text", "json", "sarif", "junit", "github"):
        argv = [sys.executable, "-m", "devloop", "-C", str(root), "validate", "--allow-remote", "--output", output]
        env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
        assert "cannot fetch" in done.stdout
        assert PASSWORD not in done.stdout + done.stderr, output


def test_closing_a_fetcher_does_not_end_the_run(tmp_path: Path) -> None:
    stop = threading.Event()
    Fetcher(tmp_path, stop).close()
    assert not stop.is_set()
