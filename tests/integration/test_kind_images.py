"""The images that devloop makes: they are what they say, they run as the clusters run them, and only what changed is made again."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from devloop.clients.engine import Engine, connect
from devloop.images import Images, recipes
from devloop.images.archive import Contents, Entry
from devloop.images.control_plane import references
from devloop.images.image_builder import ImageBuilder
from devloop.images.make import KEY
from devloop.images.recipes import BuildCommand, Recipe
from devloop.model.report import Event
from devloop.toolchain import Toolchain

TOOLCHAIN = Toolchain()
# As the sample's and Flux's manifests have it.
HARDENED = {"read_only": True, "cap_drop": ["ALL"], "mem_limit": "64m", "security_opt": ["no-new-privileges"]}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = connect()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def images(engine: Engine) -> Images:
    """All of them; `task integration` made them before, then this only looks."""
    images = Images(TOOLCHAIN, engine)
    images.ensure(images.names, lambda event: None)
    return images


def run(engine: Engine, reference: str, *arguments: str, **options: Any) -> str:
    """What it says on standard output, asked for after its end: who follows the log of one that ends at once may miss it."""
    with started(engine, reference, *arguments, network_mode="none", **options) as container:
        assert container.wait()["StatusCode"] == 0, container.logs()
        output: bytes = container.logs(stderr=False)
    return output.decode()


@contextmanager
def started(engine: Engine, reference: str, *arguments: str, **options: Any) -> Iterator[Any]:
    container = engine.client.containers.run(reference, list(arguments), detach=True, **options)
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def test_all_are_present_and_nothing_is_left_to_make(images: Images) -> None:
    events: list[Event] = []
    assert {state.state for state in images.states(images.names)} == {"present"}
    assert images.available() == {name: images.reference(name) for name in images.names}
    assert not images.ensure(images.names, events.append)
    assert events == []


@pytest.mark.parametrize("name", ["source-controller", "kustomize-controller", "helm-controller"])
def test_controllers_start_as_flux_starts_them(engine: Engine, images: Images, name: str) -> None:
    assert engine.client.images.get(images.reference(name)).attrs["Config"]["User"] == "65534:65534"
    with started(engine, images.reference(name), "--help", network_mode="none", **HARDENED | {"mem_limit": "256m"}) as container:
        container.wait(timeout=60)
        assert b"--watch-all-namespaces" in container.logs()


def test_the_git_servers_base_has_git_and_python(engine: Engine, images: Images) -> None:
    script = "import http.server, ssl, sqlite3, subprocess as s; print(s.run(['git', 'init', '--bare', '/tmp/x'], check=True).returncode)"
    assert run(engine, images.reference("git-server-base"), "python3", "-c", script, user="git").endswith("0\n")


def test_the_node_has_the_images_that_its_kubeadm_asks_for(engine: Engine, images: Images) -> None:
    version = TOOLCHAIN.version("kubelet")
    listed = run(engine, images.reference("node"), "config", "images", "list", "--kubernetes-version", version, entrypoint="kubeadm")
    assert set(listed.split()) == set(references(version).values())
    assert run(engine, images.reference("node"), "/kind/version", entrypoint="cat") == f"v{version}"


def test_nodes_share_no_identity_and_carry_no_keys(engine: Engine, images: Images) -> None:
    script = "test ! -e /etc/machine-id && find /etc /kind /root /var -name '*.key' -o -name '*.pem' -o -name 'admin.conf'"
    assert run(engine, images.reference("node"), "-c", script, entrypoint="bash") == ""


def test_the_sample_serves_within_its_limits_and_ends_when_asked(engine: Engine, images: Images) -> None:
    with started(engine, images.reference("sample"), "serve", nano_cpus=200_000_000, **HARDENED) as container:
        assert container.image.attrs["Config"]["User"] == "65532:65532"
        address = await_address(container)
        assert b"kettle" in await_answer(f"http://{address}:8080/items")
        container.kill("SIGTERM")
        assert container.wait(timeout=20)["StatusCode"] == 0
        assert not container.attrs["State"]["OOMKilled"]


def await_address(container: Any) -> str:
    for _ in range(100):
        container.reload()
        if address := container.attrs["NetworkSettings"]["IPAddress"]:
            return str(address)
        threading.Event().wait(0.1)
    raise AssertionError("it got no address")


def await_answer(url: str) -> bytes:
    for _ in range(200):
        try:
            with urlopen(url, timeout=5) as answer:
                return bytes(answer.read())
        except (URLError, OSError):
            threading.Event().wait(0.1)
    raise AssertionError(f"{url} never answered")


@contextmanager
def _contents(builder: ImageBuilder, text: bytes, base: tuple[str, ...]) -> Iterator[Contents]:
    with builder.debian(base) as debian:
        yield Contents((*debian, Entry("text", text)), {"Cmd": ["/usr/bin/cat", "/text", "/baked"]})


def test_what_changed_is_made_again_and_what_it_replaces_goes(
    engine: Engine, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"test-{uuid.uuid4().hex[:8]}"
    base = recipes.RECIPES["git-server-base"].packages[0]

    def recipe(text: str) -> Recipe:
        bake = BuildCommand(["/usr/bin/dash", "-c", f"echo baked {text} >/baked"], {})
        return Recipe(name, lambda builder: _contents(builder, text.encode(), base), packages=(base,), tag=text, bake=bake)

    ids = []
    reference = f"localhost/devloop/{name}:one"
    try:
        for text in ("one", "two"):
            # The second has the first's name but other content: what an older devloop has left.
            monkeypatch.setitem(recipes.RECIPES, name, recipe(text))
            monkeypatch.setattr(Recipe, "reference", lambda self, toolchain: reference)
            assert images.missing([name]) == (name,)
            assert images.ensure([name], lambda event: None)
            assert run(engine, reference) == f"{text}baked {text}\n"
            ids.append(engine.client.images.get(reference).id)
        assert ids[0] != ids[1]
        assert ids[0] not in {image.id for image in engine.client.images.list(all=False)}
        assert engine.client.images.get(reference).labels[KEY] == recipe("two").key(TOOLCHAIN)
    finally:
        engine.client.images.remove(reference, force=True)
