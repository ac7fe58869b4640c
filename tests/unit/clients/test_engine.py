"""The door to the container engine: the same answers and the same refusals over a socket of this machine and over TCP."""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from devloop.clients import engine
from devloop.clients.engine import Engine
from devloop.clients.engine.containers import Container, Containers
from devloop.clients.engine.images import ImageStore
from devloop.errors import DevloopError

ANSWERS: dict[tuple[str, str], tuple[int, object]] = {
    ("GET", "/_ping"): (200, None),
    ("GET", "/version"): (200, {"ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}),
    ("GET", "/info"): (200, {"Name": "host", "DockerRootDir": "/var/lib/docker"}),
    ("GET", "/containers/json"): (200, [{"Names": ["/b"]}, {"Names": ["/a"]}, {"Names": ["/gone"]}]),
    ("GET", "/containers/a/json"): (200, {"Name": "/a", "Id": "1", "State": {"Status": "running"}}),
    ("GET", "/containers/b/json"): (200, {"Name": "/b", "Id": "2", "State": {"Status": "exited"}}),
    ("DELETE", "/containers/a"): (204, None),
    ("DELETE", "/containers/b"): (409, {"message": "removal of container b is already in progress"}),
    ("POST", "/containers/b/start"): (500, {"message": "write /x: no space left on device"}),
    ("GET", "/images/example.org/x:1/json"): (200, {"Id": "sha256:1", "Size": 7}),
    ("DELETE", "/images/example.org/x:1"): (409, {"message": "image is being used by running container"}),
}


class Api(http.server.BaseHTTPRequestHandler):
    """Answers as an engine does, and keeps what it was asked."""

    asked: list[tuple[str, str, object]]

    def _answer(self) -> None:
        place = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.command, place.path, json.loads(body) if body else parse_qs(place.query)))
        # The library asks with the version in front.
        path = place.path.removeprefix("/v1.41")
        status, answer = ANSWERS.get((self.command, path), (404, {"message": f"no such thing: {path}"}))
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    # Names that http.server asks for.
    do_GET = do_POST = do_DELETE = _answer  # noqa: N815

    def address_string(self) -> str:
        return "somebody"

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(params=["unix", "tcp"])
def asked(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, object]]]:
    handler = type("Handler", (Api,), {"asked": []})
    place = str(tmp_path / "engine.sock")
    is_unix = request.param == "unix"
    with socketserver.UnixStreamServer(place, handler) if is_unix else http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{place}" if is_unix else f"tcp://127.0.0.1:{server.server_address[1]}")
        yield handler.asked
        server.shutdown()


def test_it_is_known_by_its_machine_and_its_storage(asked: list[object]) -> None:
    found = engine.connect()
    assert found.identity == "host:/var/lib/docker"
    assert found.is_podman
    assert engine.answers()


def test_what_is_there_and_what_is_not(asked: list[tuple[str, str, object]]) -> None:
    containers = Containers(engine.connect())
    assert containers.find("a") == Container("a", "running", id="1")
    assert containers.find("nothing") is None
    assert [found.name for found in containers.labelled("of=us")] == ["a", "b"]
    assert asked[-4][2] == {"all": ["1"], "filters": ['{"label": ["of=us"]}']}


def test_what_is_removed_what_was_gone_and_what_is_refused(asked: list[tuple[str, str, object]]) -> None:
    containers = Containers(engine.connect())
    assert containers.remove("a")
    assert asked[-1][2] == {"force": ["1"], "v": ["1"]}
    assert not containers.remove("gone")
    with pytest.raises(DevloopError, match="removing b: removal of container b is already in progress"):
        containers.remove("b")
    with pytest.raises(DevloopError, match=r"starting b: .*no space left") as full:
        containers.start(Container("b", "exited"))
    assert "docker system" in str(full.value.hint)


def test_what_is_made_is_described_in_a_body(asked: list[tuple[str, str, object]]) -> None:
    with pytest.raises(DevloopError, match="creating the volume data: no such thing"):
        Containers(engine.connect()).make_volume("data", {"of": "us"})
    assert asked[-1] == ("POST", "/volumes/create", {"Name": "data", "Labels": {"of": "us"}})


def test_images_by_their_whole_name(asked: list[tuple[str, str, object]]) -> None:
    store = ImageStore(engine.connect())
    assert store.identity("example.org/x:1") == "sha256:1"
    assert store.identity("example.org/y:1") == ""
    assert store.size("example.org/x:1") == 7
    with pytest.raises(DevloopError, match="the container engine rejects y: no such thing"):
        store.size("y")
    store.remove("example.org/x:1")
    assert asked[-1][:2] == ("DELETE", "/images/example.org/x:1")


def test_names_are_no_paths(tmp_path: Path, asked: list[tuple[str, str, object]]) -> None:
    assert Containers(engine.connect()).find("a?b#c d") is None
    assert asked[-1][1] == "/containers/a%3Fb%23c%20d/json"


def test_one_that_hangs_up_in_the_middle(tmp_path: Path) -> None:
    place = str(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen()

        def hang_up() -> None:
            for said in (
                b"",
                b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
                b"nonsense\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{",
            ):
                link = door.accept()[0]
                link.recv(1 << 16)
                link.sendall(said)
                link.close()

        threading.Thread(target=hang_up, daemon=True).start()
        containers = Containers(Engine(f"unix://{place}", 5.0))
        for _ in range(4):
            with pytest.raises(DevloopError, match="the container engine gave no answer while looking at a"):
                containers.find("a")


def test_one_that_is_not_there() -> None:
    with pytest.raises(DevloopError, match="no container engine responds at unix:///nowhere"):
        _ = Engine("unix:///nowhere").identity


def test_one_that_accepts_and_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(tmp_path / "engine.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{place}")
    monkeypatch.setattr(engine, "_REACHED", 0.2)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen()
        with pytest.raises(DevloopError, match="no container engine responds at"):
            engine.connect()
