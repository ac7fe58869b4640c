"""Images in the container engine: is one there, whose is it, put one there, make one by running a command in another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from devloop.clients.engine import Engine
from devloop.errors import DevloopError


def label(engine: Engine, reference: str, name: str) -> str | None:
    """The label `name` of an image, empty where it has none; None where the engine has no such image."""
    with _told(reference):
        found = engine.client.images.list(name=reference)
        return found[0].labels.get(name, "") if found else None


def labels(engine: Engine, name: str) -> dict[str, str]:
    """Reference -> label `name` of every image that has it; a single question to the engine."""
    with _told("images"):
        found = engine.client.api.images(filters={"label": name})
    return {reference: (item.get("Labels") or {}).get(name, "") for item in found for reference in item.get("RepoTags") or ()}


def identity(engine: Engine, reference: str) -> str:
    """The image's id, '' where the engine has no such image."""
    from docker.errors import ImageNotFound

    with _told(reference), contextlib.suppress(ImageNotFound):
        return str(engine.client.images.get(reference).id)
    return ""


def size(engine: Engine, reference: str) -> int:
    """Bytes of an image on the engine's disk."""
    with _told(reference):
        return int(engine.client.images.get(reference).attrs["Size"])


def load(engine: Engine, archive: Path | str, reference: str) -> None:
    """Put the image of an archive (as `docker save` writes it) into the engine; it must be called `reference` there."""
    with _told(reference), Path(archive).open("rb") as file:
        list(engine.client.images.load(file))


def remove(engine: Engine, reference: str) -> None:
    """Forget an image, unless a container runs from it; none, also '', is fine."""
    from docker.errors import APIError

    if not reference:
        return
    with _told(reference), contextlib.suppress(APIError):
        engine.client.images.remove(reference)


def derive(engine: Engine, base: str, command: Sequence[str], reference: str, config: dict[str, Any], options: dict[str, Any]) -> None:
    """Run `command` in the image `base` and keep what it wrote as `reference`; DevloopError with its output when it fails.

    `config` is what runs in the new image (in the words of Docker's API), `options` are more arguments for the container.
    """
    repository, _, tag = reference.rpartition(":")
    with _told(reference):
        container = engine.client.containers.create(base, entrypoint=list(command), network_mode="none", **options)
        try:
            container.start()
            status = container.wait()["StatusCode"]
            if status:
                raise DevloopError(f"making {reference} failed: {container.logs().decode(errors='replace').strip()[-2000:]}")
            # What is not said again, an image takes over from the container that it is made of.
            container.commit(repository, tag, conf={"Entrypoint": [], "Cmd": [], **config})
        finally:
            container.remove(force=True, v=True)


@contextlib.contextmanager
def _told(reference: str) -> Iterator[None]:
    """What the engine refuses, as the user should read it."""
    from docker.errors import APIError, DockerException
    from requests import RequestException

    try:
        yield
    except APIError as error:
        if "no space left" in str(error).lower():
            raise DevloopError(f"no space left for the image {reference}", hint="docker system df, then docker image prune") from None
        raise DevloopError(f"the container engine refuses {reference}: {error.explanation or error}") from None
    except (DockerException, RequestException) as error:
        raise DevloopError(f"the container engine ended while it was asked for {reference}: {error}", hint="docker info") from None
