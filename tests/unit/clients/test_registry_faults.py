"""What can go wrong on the way from a registry."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from devloop.clients.http import Reason
from devloop.clients.registry import pull_file
from devloop.errors import Interrupted
from devloop.images.archive import Entry

from .pulls import BASE, HASTY, INSIDE, NAME, PATH, TOP, failure, forward, pull
from .registries import Registry, packed, running
from .servers import send, serving


@pytest.fixture(scope="module")
def registry(registry_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running(registry_program, tmp_path_factory.mktemp("registry")) as it:
        yield it


def test_no_such_image(registry: Registry, tmp_path: Path) -> None:
    failed = failure(f"{registry.host}/no/such@sha256:{'0' * 64}", tmp_path)
    assert (failed.reason, failed.message) == (Reason.NOT_FOUND, "127.0.0.1 answers 404 Not Found")


def test_an_image_for_other_platforms(registry: Registry, tmp_path: Path) -> None:
    digest = registry.push(NAME, [BASE, TOP])
    failed = failure(f"{registry.host}/{NAME}@{digest}", tmp_path, platform="linux/arm64")
    assert (failed.reason, failed.message) == (Reason.NOT_FOUND, "the image is not for linux/arm64 but for linux/amd64")


def test_a_reference_without_a_digest(tmp_path: Path) -> None:
    assert failure(f"ghcr.io/{NAME}:v1", tmp_path).reason is Reason.UNUSABLE


@pytest.mark.parametrize("part", ["manifests", "blobs"])
def test_another_digest(registry: Registry, tmp_path: Path, part: str) -> None:
    digest = registry.push(NAME, [BASE, TOP])
    with serving(forward(registry.host, **{part: lambda handler: send(handler, 200, b'{"layers": []}')})) as tampering:
        failed = failure(f"127.0.0.1:{tampering.port}/{NAME}@{digest}", tmp_path)
    assert failed.reason is Reason.WRONG_DIGEST
    assert "expected " in failed.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["manifests", "blobs"])
@pytest.mark.parametrize(
    ("status", "reason"), [(401, Reason.DENIED), (403, Reason.DENIED), (429, Reason.RATE_LIMITED), (503, Reason.SERVER_ERROR)]
)
def test_a_status(registry: Registry, tmp_path: Path, part: str, status: int, reason: Reason) -> None:
    digest = registry.push(NAME, [BASE, TOP])
    with serving(forward(registry.host, **{part: lambda handler: send(handler, status)})) as failing:
        assert failure(f"127.0.0.1:{failing.port}/{NAME}@{digest}", tmp_path).reason is reason


def test_a_registry_that_hangs(registry: Registry, tmp_path: Path) -> None:
    digest = registry.push(NAME, [BASE, TOP])
    with serving(forward(registry.host, blobs=lambda _: threading.Event().wait(3) and None)) as hanging:
        assert failure(f"127.0.0.1:{hanging.port}/{NAME}@{digest}", tmp_path, limits=HASTY).reason is Reason.TIMED_OUT


def test_a_pull_can_be_interrupted(registry: Registry, tmp_path: Path) -> None:
    digest, stop = registry.push(NAME, [BASE, TOP]), threading.Event()
    with serving(forward(registry.host, blobs=lambda _: threading.Event().wait(3) and None)) as hanging:
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(Interrupted):
            reference = f"127.0.0.1:{hanging.port}/{NAME}@{digest}"
            pull_file(reference, PATH, "linux/amd64", tmp_path / "it", lambda *_: None, stop, mirrored={})


def test_a_layer_that_is_cut_off_is_continued(registry: Registry, tmp_path: Path) -> None:
    noise = [Entry(INSIDE, bytes(range(256)) * 4000)]
    digest = registry.push("cut/off", [noise], compression="")
    [content, _] = packed(noise, compression="")
    cuts = [500_000]

    def blob(handler: BaseHTTPRequestHandler) -> None:
        if not cuts:
            start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
            send(handler, 206, content[start:], Content_Range=f"bytes {start}-{len(content) - 1}/{len(content)}")
            return
        handler.send_response(200)
        handler.send_header("ETag", '"1"')
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: cuts.pop()])
        handler.close_connection = True

    with serving(forward(registry.host, blobs=blob)) as cutting:
        assert pull(f"127.0.0.1:{cutting.port}/cut/off@{digest}", tmp_path) == noise[0].content


@pytest.mark.parametrize("compression", ["zstd", "encrypted"])
def test_a_layer_that_cannot_be_read(registry: Registry, tmp_path: Path, compression: str) -> None:
    digest = registry.push("other/layer", [TOP], compression=compression)
    failed = failure(f"{registry.host}/other/layer@{digest}", tmp_path)
    assert failed.reason is Reason.UNUSABLE
    assert "layer" in failed.message
