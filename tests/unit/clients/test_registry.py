"""Files out of images in a real registry."""

from __future__ import annotations

import json
import tarfile
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from devloop.clients.http import DownloadFailed, Reason
from devloop.clients.registry import pull_file, resolve
from devloop.clients.registry.mirrors import VARIABLE, locate, mirrors
from devloop.errors import InputError
from devloop.images.archive import Entry, folder, link
from devloop.provisioners.embedded.authority import new_authority

from .pulls import BASE, INSIDE, LIMITS, NAME, PATH, PROGRAM, TOP, failure, forward, pull
from .registries import INDEX, Registry, running, token, token_server
from .servers import send, serving


@pytest.fixture(scope="module")
def registry(registry_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running(registry_program, tmp_path_factory.mktemp("registry")) as it:
        yield it


@pytest.mark.parametrize("compression", ["gzip", ""])
def test_a_program_from_an_image(registry: Registry, tmp_path: Path, compression: str) -> None:
    digest = registry.push(NAME, [BASE, TOP], compression=compression)
    assert pull(f"{registry.host}/{NAME}:1.0.0@{digest}", tmp_path) == PROGRAM
    assert (tmp_path / "it").stat().st_mode & 0o777 == 0o755


def test_only_the_layers_that_are_needed(registry: Registry, tmp_path: Path) -> None:
    digest = registry.push("two/layers", [BASE, TOP])
    with serving(forward(registry.host)) as counted:
        pull(f"127.0.0.1:{counted.port}/two/layers@{digest}", tmp_path)
    assert len([path for path, _ in counted.requests if "/blobs/" in path]) == 1


def test_the_digest_of_a_tag(registry: Registry) -> None:
    digest = registry.push(NAME, [BASE, TOP], tag="v1.9.6")
    assert resolve(f"{registry.host}/{NAME}:v1.9.6", threading.Event(), mirrored={}) == digest
    with pytest.raises(DownloadFailed, match="answers 404"):
        resolve(f"{registry.host}/{NAME}:v0.0.0", threading.Event(), mirrored={}, limits=LIMITS)


def test_an_image_of_one_platform_alone(registry: Registry, tmp_path: Path) -> None:
    index = registry.push(NAME, [BASE, TOP])
    with urlopen(Request(f"http://{registry.host}/v2/{NAME}/manifests/{index}", headers={"Accept": INDEX})) as answer:
        [entry] = json.load(answer)["manifests"]
    assert pull(f"{registry.host}/{NAME}@{entry['digest']}", tmp_path) == PROGRAM


def hard_link(path: str, target: str) -> Entry:
    return Entry(path, kind=tarfile.LNKTYPE, target=target)


@pytest.mark.parametrize(
    ("layers", "content"),
    [
        ([[Entry(INSIDE, b"old")], [Entry(INSIDE, b"new")]], b"new"),
        ([[Entry(INSIDE, b"old")], [Entry("usr/local/bin/other", b"")]], b"old"),
        ([[Entry("opt/it", b"old")], [link(INSIDE, "/opt/it")]], b"old"),
        ([[Entry("usr/opt/it", b"old")], [link(INSIDE, "../../opt/it")]], b"old"),
        ([[Entry("etc/it", b"old")], [link(INSIDE, "../../../../../etc/it")]], b"old"),
        ([[Entry("opt/bin/source-controller", b"old")], [link("usr/local/bin", "/opt/bin")]], b"old"),
        ([[Entry("opt/it", b"old")], [link(INSIDE, "/opt/link"), link("opt/link", "it")]], b"old"),
        ([[Entry("opt/it", b"old"), hard_link(INSIDE, "opt/it")]], b"old"),
        ([[Entry("opt/it", b"old"), hard_link(INSIDE, "opt/it")], [Entry("opt/it", b"new")]], b"old"),
        ([[Entry("usr/local/bin/.wh.other", b""), Entry(INSIDE, b"old")]], b"old"),
        ([[Entry("usr/local/bin/.wh..wh..opq", b""), Entry(INSIDE, b"new")]], b"new"),
        ([[Entry(INSIDE, b"old")], [Entry("usr/local/bin/.wh.source-controller", b"")], [Entry(INSIDE, b"new")]], b"new"),
        ([[Entry(INSIDE, b"old")], [Entry("usr/local/bin/.wh.source", b"")]], b"old"),
    ],
    ids=[
        "the upper layer counts",
        "the lower layer has it",
        "absolute link",
        "relative link",
        "link out of the root",
        "linked folder",
        "link to a link",
        "hard link",
        "hard link to a file that was replaced",
        "another file was removed",
        "folder that was emptied before",
        "removed and there again",
        "another name was removed",
    ],
)
def test_where_a_file_is(registry: Registry, tmp_path: Path, layers: Sequence[Sequence[Entry]], content: bytes) -> None:
    digest = registry.push("layers/found", layers)
    assert pull(f"{registry.host}/layers/found@{digest}", tmp_path) == content


@pytest.mark.parametrize(
    "layers",
    [
        [BASE],
        [TOP, [Entry("usr/local/bin/.wh.source-controller", b"")]],
        [TOP, [Entry("usr/local/.wh.bin", b"")]],
        [TOP, [Entry("usr/local/bin/.wh..wh..opq", b"")]],
        [TOP, [Entry("usr/local", b"a file now")]],
        [[folder(INSIDE)]],
        [[link(INSIDE, "nowhere")]],
        [[Entry(INSIDE, kind=tarfile.CHRTYPE)]],
    ],
    ids=["never there", "removed", "folder removed", "folder emptied", "below a file", "a folder", "a dead link", "a device"],
)
def test_where_no_file_is(registry: Registry, tmp_path: Path, layers: Sequence[Sequence[Entry]]) -> None:
    digest = registry.push("layers/absent", layers)
    failed = failure(f"{registry.host}/layers/absent@{digest}", tmp_path)
    assert (failed.reason, failed.message) == (Reason.UNUSABLE, f"the image has no file {PATH}")
    assert list(tmp_path.iterdir()) == []


def test_links_in_a_circle(registry: Registry, tmp_path: Path) -> None:
    digest = registry.push("layers/circle", [[link("a", "b"), link("b", "a")]])
    assert failure(f"{registry.host}/layers/circle@{digest}", tmp_path, "/a").message.startswith("the image has too many links")


def test_a_registry_that_wants_a_token(registry_program: Path, tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    authority = new_authority("tokens")
    (tmp_path / "ca.pem").write_text(authority.pem)
    access = [{"type": "repository", "name": NAME, "actions": ["pull", "push"]}]
    with serving(token_server(authority, "tests")) as tokens:
        auth = {"realm": f"{tokens.url}/token", "service": "tests", "issuer": "tests", "rootcertbundle": str(tmp_path / "ca.pem")}
        with running(registry_program, tmp_path / "registry", auth={"token": auth}) as registry:
            with pytest.raises(HTTPError, match="401"):
                registry.push(NAME, [TOP])
            headers = {"Authorization": f"Bearer {token(authority.issue('push'), 'tests', access)}"}
            digest = Registry(registry.host, headers).push(NAME, [BASE, TOP])
            (tmp_path / "out").mkdir()
            assert pull(f"{registry.host}/{NAME}@{digest}", tmp_path / "out") == PROGRAM
    assert [path for path, _ in tokens.requests] == ["/token?service=tests&scope=repository%3Afluxcd%2Fsource-controller%3Apull"]


@pytest.mark.parametrize(
    ("challenge", "message"),
    [
        ("", "127.0.0.1 answers 401 Unauthorized"),
        ('Basic realm="company"', "127.0.0.1 answers 401 Unauthorized"),
        ('Bearer service="tests"', "127.0.0.1 answers 401 Unauthorized"),
        ('Bearer realm="http://tokens.example/token"', "127.0.0.1 offers tokens without TLS"),
        ('Bearer realm="{url}/broken"', "127.0.0.1 sends no token"),
        ('Bearer realm="{url}/empty"', "127.0.0.1 sends no token"),
        ('Bearer realm="{url}/list"', "127.0.0.1 sends no token"),
        ('Basic realm="company", Bearer realm="{url}/useless",service="tests"', "127.0.0.1 answers 401 Unauthorized"),
    ],
)
def test_a_registry_that_gives_no_useful_token(tmp_path: Path, challenge: str, message: str) -> None:
    bodies = {"/broken": b"<html>", "/empty": b"{}", "/list": b"[]", "/useless": b'{"access_token": "x"}'}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = bodies.get(handler.path.partition("?")[0])
        if body is None:
            send(handler, 401, WWW_Authenticate=challenge.format(url=server.url))
        else:
            send(handler, 200, body)

    with serving(answer) as server:
        failed = failure(f"127.0.0.1:{server.port}/{NAME}@sha256:{'0' * 64}", tmp_path)
    assert (failed.reason, failed.message) == (Reason.DENIED, message.replace("127.0.0.1 offers", f"127.0.0.1:{server.port} offers"))


def test_a_mirror(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = registry.push(NAME, [BASE, TOP])
    monkeypatch.setenv(VARIABLE, f"docker.io=https://mirror.example, ghcr.io={registry.host}")
    pull_file(f"ghcr.io/{NAME}:v1@{digest}", PATH, "linux/amd64", tmp_path / "it", lambda *_: None, threading.Event(), limits=LIMITS)
    assert (tmp_path / "it").read_bytes() == PROGRAM


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("busybox", "https://registry-1.docker.io/v2/library/busybox"),
        ("fluxcd/flux", "https://registry-1.docker.io/v2/fluxcd/flux"),
        ("docker.io/kindest/node", "https://registry-1.docker.io/v2/kindest/node"),
        ("index.docker.io/busybox", "https://registry-1.docker.io/v2/library/busybox"),
        ("ghcr.io/fluxcd/source-controller", "https://ghcr.io/v2/fluxcd/source-controller"),
        ("registry.example:5000/it", "https://registry.example:5000/v2/it"),
        ("localhost/it", "http://localhost/v2/it"),
        ("localhost:5000/it", "http://localhost:5000/v2/it"),
        ("[::1]:5000/it", "http://[::1]:5000/v2/it"),
        ("mirrored.example/a/b", "https://mirror.example/v2/cache/a/b"),
        ("local.example/a/b", "http://127.0.0.1:5000/v2/a/b"),
    ],
)
def test_where_a_repository_is(name: str, url: str) -> None:
    mirrored = {"mirrored.example": "https://mirror.example/cache/", "local.example": "http://127.0.0.1:5000"}
    repository, tag, digest = locate(f"{name}:v1@sha256:{'0' * 64}", mirrored)
    assert (repository.url, tag, digest) == (url, "v1", f"sha256:{'0' * 64}")


@pytest.mark.parametrize("value", ["ghcr.io", "=mirror.example", "ghcr.io=", "docker.io=a,b"])
def test_a_list_of_mirrors_with_a_mistake(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(InputError, match=VARIABLE):
        mirrors()


@pytest.mark.parametrize("endpoint", ["http://mirror.example", "http://127.0.0.1.example", "ftp://localhost"])
def test_a_mirror_without_tls(endpoint: str) -> None:
    with pytest.raises(InputError, match="must have an https URL"):
        locate("ghcr.io/it", {"ghcr.io": endpoint})
