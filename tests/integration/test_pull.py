"""Pulling into a real engine: from a real registry, and from servers that do not give what is asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from devloop.clients.engine import connect
from devloop.clients.engine.images import ImageStore
from devloop.clients.engine.pull import ImageNotPulled, PullFailure
from devloop.errors import Interrupted
from devloop.images import Images
from devloop.toolchain import Toolchain

from ..unit.clients.registries import running
from .published import docker, push

ERRORS = {401: "UNAUTHORIZED", 403: "DENIED", 404: "MANIFEST_UNKNOWN", 429: "TOOMANYREQUESTS", 503: "UNAVAILABLE"}


@pytest.fixture(scope="module")
def store() -> Iterator[ImageStore]:
    with closing(connect()) as engine:
        yield ImageStore(engine)


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """A registry that answers every request for an image with this status, or never with status 0; its address."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not status:
                over.wait(60)
            answer = 200 if self.path == "/v2/" else status
            body = (
                b"{}"
                if answer == 200
                else f'{{"errors": [{{"code": "{ERRORS[status]}", "message": "{ERRORS[status].lower()}"}}]}}'.encode()
            )
            self.send_response(answer)
            self.send_header("Content-Type", "application/json")
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 (http.server's name)

        def log_message(self, *args: object) -> None:
            """Nothing to say."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"localhost:{server.server_port}"
        over.set()
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (401, PullFailure.DENIED),
        (403, PullFailure.DENIED),
        (404, PullFailure.NOT_FOUND),
        (429, PullFailure.RATE_LIMITED),
        (503, PullFailure.UNREACHABLE),
    ],
)
def test_what_a_registry_answers_is_the_reason(store: ImageStore, status: int, failure: PullFailure) -> None:
    with refusing(status) as address, pytest.raises(ImageNotPulled) as error:
        store.pull(f"{address}/some/image:v1", lambda _: None, threading.Event())
    assert error.value.failure is failure, error.value.message


def test_a_registry_that_is_not_there_is_no_network(store: ImageStore) -> None:
    with pytest.raises(ImageNotPulled, match="localhost:1 does not answer") as error:
        store.pull("localhost:1/some/image:v1", lambda _: None, threading.Event())
    assert error.value.failure is PullFailure.UNREACHABLE


def test_a_registry_that_hangs_can_be_interrupted(store: ImageStore) -> None:
    stop = threading.Event()
    with refusing(0) as address:
        threading.Timer(1.0, stop.set).start()
        started = time.monotonic()
        with pytest.raises(Interrupted):
            store.pull(f"{address}/some/image:v1", lambda _: None, stop)
        assert time.monotonic() - started < 10


def test_an_image_is_pulled_by_digest_and_has_its_tag(store: ImageStore, tmp_path: Path) -> None:
    with closing(connect()) as engine:
        images = Images(Toolchain(), engine)
        images.ensure(["git-server-base"], lambda _: None)
        reference = images.reference("git-server-base")
    Toolchain().ensure(["registry"], lambda _: None)
    fractions: list[float] = []
    with running(Toolchain().path("registry"), tmp_path) as registry:
        digest = push(registry, "some/image:v1", reference)
        image = f"{registry.host}/some/image:v1"
        try:
            store.pull(f"{image}@{digest}", fractions.append, threading.Event())
            assert store.identity(image) == store.identity(reference)
            wrong = f"{image}@sha256:{'0' * 64}"
            with pytest.raises(ImageNotPulled) as error:
                store.pull(wrong, fractions.append, threading.Event())
            assert error.value.failure is PullFailure.NOT_FOUND
        finally:
            docker("rmi", "--force", image)
    assert fractions == sorted(fractions)
