"""The script for maintainers, against a server in the publishers' place and a real registry."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType

import pytest

from devloop.images.archive import Entry

from .clients.registries import running
from .clients.servers import send, serving

SCRIPT = Path(__file__).parents[2] / "scripts" / "pin_releases.py"
PLATFORMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64")

LOCK = """# What this file is.

[modules.sops]
path = "github.com/getsops/sops/v3"
version = "3.13.3"

[modules.etcd]
version = "3.6.8"

[modules.kwok]
version = "0.7.0"

[modules.kubernetes]
version = "1.36.4"

[modules.kind]
version = "0.33.0"

[modules.source-controller]
version = "1.9.6"

[tools.sops] # a comment
module = "sops"

[tools.sops.releases.linux-amd64]
url = "https://old.example"
sha256 = "old"

[tools.etcd]
module = "etcd"

[tools.kwok]
module = "kwok"

[tools.kubectl]
module = "kubernetes"

[tools.kind]
module = "kind"

# What Flux needs.
[tools.kind.borrowed.crds]
pattern = "*.yaml"

[tools.source-controller]
module = "source-controller"

[tools.source-controller.files]
crds = "*.yaml"
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("pin_releases", SCRIPT)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules["pin_releases"] = module
    specification.loader.exec_module(module)
    return module


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def etcd(platform: str) -> tuple[str, bytes]:
    """The name and content of an archive, as etcd packs it."""
    file, folder = io.BytesIO(), f"etcd-v3.6.8-{platform}"
    if platform.startswith("darwin"):
        with zipfile.ZipFile(file, "w") as packed:
            packed.writestr(f"{folder}/etcd", b"etcd")
        return f"{folder}.zip", file.getvalue()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        info = tarfile.TarInfo(f"{folder}/etcd")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"etcd"))
    return f"{folder}.tar.gz", file.getvalue()


@pytest.fixture
def published() -> dict[str, bytes]:
    """Path -> content, as the publishers have it; nothing of kwok for macOS."""
    files: dict[str, bytes] = {}
    release = "/{}/releases/download/v{}/{}".format
    sops = {f"sops-v3.13.3.{platform.replace('-', '.')}": f"sops {platform}".encode() for platform in PLATFORMS}
    archives = dict(map(etcd, PLATFORMS))
    kwok = {f"kwok-{platform}": f"kwok {platform}".encode() for platform in PLATFORMS[:2]}
    files |= {release("getsops/sops", "3.13.3", name): content for name, content in sops.items()}
    files |= {release("etcd-io/etcd", "3.6.8", name): content for name, content in archives.items()}
    files |= {release("kubernetes-sigs/kwok", "0.7.0", name): content for name, content in kwok.items()}
    files[release("getsops/sops", "3.13.3", "sops-v3.13.3.checksums.txt")] = sums(sops)
    files[release("etcd-io/etcd", "3.6.8", "SHA256SUMS")] = sums(archives)
    assets = [{"name": name, "digest": f"sha256:{sha256(content)}"} for name, content in kwok.items()]
    files["/repos/kubernetes-sigs/kwok/releases/tags/v0.7.0"] = json.dumps({"assets": assets}).encode()
    for platform in PLATFORMS:
        name, kubectl = f"kind-{platform}", f"/release/v1.36.4/bin/{platform.replace('-', '/')}/kubectl"
        files[release("kubernetes-sigs/kind", "0.33.0", name)] = name.encode()
        files[release("kubernetes-sigs/kind", "0.33.0", f"{name}.sha256sum")] = sums({f"bin/{name}": name.encode()})
        files[kubectl] = kubectl.encode()
        files[f"{kubectl}.sha256"] = sha256(kubectl.encode()).encode()
    notes = f"- v1.9.10: `kindest/node:v1.9.10@sha256:{'a' * 64}`\n- 1.36: `kindest/node:v1.36.4@sha256:{'b' * 64}`\n"
    files["/repos/kubernetes-sigs/kind/releases/tags/v0.33.0"] = json.dumps({"body": notes * 2}).encode()
    return files


def sums(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{sha256(content)}  {name}\n" for name, content in files.items()).encode()


@pytest.fixture
def instead(published: dict[str, bytes]) -> Iterator[list[str]]:
    """Options that put a local server in the publishers' place."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        content = published.get(handler.path)
        send(handler, 404 if content is None else 200, content or b"")

    with serving(answer) as server:
        hosts = ("https://github.com", "https://api.github.com", "https://dl.k8s.io")
        yield [f"--instead={host}={server.url}" for host in hosts]


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "lock.toml").write_text(LOCK)
    return tmp_path / "lock.toml"


def test_releases_are_written_and_the_rest_stays(script: ModuleType, lock: Path, instead: list[str], published: dict[str, bytes]) -> None:
    script.main(["sops", "etcd", "kwok", "kubectl", "kind", f"--lock={lock}", *instead])
    written = tomllib.loads(lock.read_text())
    releases = {name: tool.pop("releases") for name, tool in written["tools"].items() if "releases" in tool}
    assert {name: list(tables) for name, tables in releases.items()} == {
        **{tool: list(PLATFORMS) for tool in ("sops", "etcd", "kubectl", "kind")},
        "kwok": list(PLATFORMS[:2]),
    }
    for tool, host in (("sops", "https://github.com"), ("kwok", "https://github.com"), ("kubectl", "https://dl.k8s.io")):
        for table in releases[tool].values():
            assert table == {"url": table["url"], "sha256": sha256(published[table["url"].removeprefix(host)])}
    assert releases["etcd"]["linux-arm64"]["member"] == "etcd-v3.6.8-linux-arm64/etcd"
    assert releases["etcd"]["darwin-arm64"]["url"].endswith("/v3.6.8/etcd-v3.6.8-darwin-arm64.zip")
    assert written.pop("node-images") == {"0.33.0": {"1.36.4": f"sha256:{'b' * 64}", "1.9.10": f"sha256:{'a' * 64}"}}
    before = tomllib.loads(LOCK)
    del before["tools"]["sops"]["releases"]
    assert written == before
    assert [line for line in LOCK.splitlines() if "#" in line] == [line for line in lock.read_text().splitlines() if "#" in line]


def test_pinning_twice_changes_nothing(script: ModuleType, lock: Path, instead: list[str]) -> None:
    script.main(["sops", "kind", f"--lock={lock}", *instead])
    once = lock.read_text()
    script.main(["sops", "kind", f"--lock={lock}", *instead])
    assert lock.read_text() == once


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("/getsops/sops/releases/download/v3.13.3/sops-v3.13.3.darwin.arm64", b"tampered", "sops: 127.0.0.1 sends another file"),
        ("/getsops/sops/releases/download/v3.13.3/sops-v3.13.3.darwin.arm64", None, "sops: 127.0.0.1 answers 404"),
    ],
    ids=["tampered", "gone"],
)
def test_a_download_that_does_not_fit(
    script: ModuleType, lock: Path, instead: list[str], published: dict[str, bytes], path: str, content: bytes | None, message: str
) -> None:
    if content is None:
        del published[path]
    else:
        published[path] = content
    with pytest.raises(SystemExit, match=message):
        script.main(["sops", f"--lock={lock}", *instead])
    assert lock.read_text() == LOCK


def test_an_archive_without_the_program(script: ModuleType, lock: Path, instead: list[str], published: dict[str, bytes]) -> None:
    folder = "/etcd-io/etcd/releases/download/v3.6.8"
    with zipfile.ZipFile(file := io.BytesIO(), "w") as packed:
        packed.writestr("README", "nothing else")
    published[f"{folder}/etcd-v3.6.8-linux-amd64.tar.gz"] = file.getvalue()
    published[f"{folder}/SHA256SUMS"] = sums({"etcd-v3.6.8-linux-amd64.tar.gz": file.getvalue()})
    with pytest.raises(SystemExit, match=r"has no file etcd-v3\.6\.8-linux-amd64/etcd"):
        script.main(["etcd", f"--lock={lock}", *instead])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{'a' * 64}\n", "a" * 64),
        (f"{'a' * 64}  it\n{'b' * 64}  other\n", "a" * 64),
        (f"{'b' * 64}  other\n{'a' * 64} *./bin/it\n", "a" * 64),
        (f"{'a' * 64}  it\n{'b' * 64}  it\n", None),
        (f"{'a' * 64}  it.sbom\n", None),
        ("<html>sign in</html>", None),
        (f"{'a' * 40}  it\n", None),
        ("", None),
    ],
)
def test_a_checksum_file(script: ModuleType, text: str, found: str | None) -> None:
    assert script.listed_checksum(text, "it") == found


def test_notes_without_node_images(script: ModuleType, lock: Path, instead: list[str], published: dict[str, bytes]) -> None:
    published["/repos/kubernetes-sigs/kind/releases/tags/v0.33.0"] = b'{"body": "nothing new"}'
    with pytest.raises(SystemExit, match="list no node images"):
        script.main(["kind", f"--lock={lock}", *instead])


def test_a_tool_that_nobody_publishes(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script.main(["worker"])
    assert "nobody publishes worker" in capsys.readouterr().err


def test_an_image_by_its_digest(registry_program: Path, lock: Path, tmp_path: Path) -> None:
    with running(registry_program, tmp_path) as registry:
        program = [[Entry("usr/local/bin/source-controller", b"a controller", 0o755)]]
        digest = registry.push("fluxcd/source-controller", program, tag="v1.9.6", machines=("amd64", "arm64"))
        command = [sys.executable, str(SCRIPT), "source-controller", f"--lock={lock}"]
        mirror = {**os.environ, "DEVLOOP_REGISTRY_MIRRORS": f"ghcr.io={registry.host}"}
        subprocess.run(command, env=mirror, check=True, capture_output=True)
    assert tomllib.loads(lock.read_text())["tools"]["source-controller"]["image"] == {
        "reference": f"ghcr.io/fluxcd/source-controller:v1.9.6@{digest}",
        "path": "/usr/local/bin/source-controller",
    }
