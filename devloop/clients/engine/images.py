"""Images of the container engine: which are there and whose, building, loading, saving and removing them."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from devloop.clients.background import unless_stopped
from devloop.clients.engine import Engine, NoSuchObject, Refused, filters, library, quoted
from devloop.errors import DevloopError, Interrupted
from devloop.hint import command, instructions


class ImageStore:
    """The images of one engine; safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def identity(self, reference: str) -> str:
        """The id of the image that `reference` names, '' where there is none."""
        with _told(reference), contextlib.suppress(NoSuchObject):
            return str(self._engine.ask("GET", f"/images/{quoted(reference)}/json")["Id"])
        return ""

    def labels(self, name: str) -> dict[str, str]:
        """Reference -> label `name` of every image that has it; a single question to the engine."""
        with _told("images"):
            found = self._engine.ask("GET", "/images/json", filters=filters(label=name))
        return {reference: (item.get("Labels") or {}).get(name, "") for item in found for reference in item.get("RepoTags") or ()}

    def size(self, reference: str) -> int:
        """Bytes of an image on the engine's disk."""
        with _told(reference):
            return int(self._engine.ask("GET", f"/images/{quoted(reference)}/json")["Size"])

    def load(self, archive: Path, reference: str) -> None:
        """Put the image of an archive (as `docker save` writes it) into the engine; the archive calls it `reference`."""
        with _told(reference), library(), archive.open("rb") as file:
            list(self._engine.client.images.load(file))

    def remove(self, reference: str) -> None:
        """Forget an image, unless a container runs from it; none, also '', is fine."""
        with _told(reference), contextlib.suppress(Refused):
            if reference:
                self._engine.ask("DELETE", f"/images/{quoted(reference)}")

    def derive(
        self,
        base: str,
        command: Sequence[str],
        reference: str,
        config: Mapping[str, Any],
        options: Mapping[str, Any],
        stop: threading.Event,
    ) -> None:
        """Run `command` in the image `base` and keep what it wrote as `reference`; DevloopError with its output when it fails.

        `config` is how the new image runs, in the words of the OCI specification; `options` are more arguments for the container.
        """
        repository, _, tag = reference.rpartition(":")
        with _told(reference), library():
            container = self._engine.client.containers.create(base, entrypoint=list(command), network_mode="none", **options)
            try:
                container.start()
                if unless_stopped(container.wait, reference, stop)["StatusCode"]:
                    raise DevloopError(f"making {reference} failed: {container.logs().decode(errors='replace').strip()[-2000:]}")
                # What is not said again, an image takes over from the container that it is made of.
                container.commit(repository, tag, conf={"Entrypoint": [], "Cmd": [], **config}, changes=_instructions(config))
            finally:
                container.remove(force=True, v=True)

    def build(self, reference: str, files: Mapping[str, bytes], arguments: Mapping[str, str], stop: threading.Event) -> None:
        """Build the Dockerfile among `files` (path -> content) with build `arguments` and name it."""
        said: list[str] = []
        with _told(reference), library():
            stream = self._engine.client.api.build(
                fileobj=io.BytesIO(_context(files)),
                custom_context=True,
                tag=reference,
                buildargs=dict(arguments),
                rm=True,
                forcerm=True,
                decode=True,
            )
            for message in stream:
                if stop.is_set():
                    raise Interrupted(f"interrupted while building {reference}")
                said.append(str(message.get("stream") or message.get("error") or ""))
                if "error" in message:
                    last = " ".join("".join(said).split())[-300:]
                    raise DevloopError(
                        f"the image {reference} cannot be built: {last}",
                        hint=instructions(command("devloop toolchain images"), ", or see that its base image can be pulled"),
                    )

    def save(self, reference: str) -> Iterator[bytes]:
        """The image as an archive that containerd can import, in parts."""
        with _told(reference), library():
            yield from self._engine.client.api.get_image(reference, chunk_size=1 << 20)


@contextlib.contextmanager
def _told(reference: str) -> Iterator[None]:
    """What the engine refuses, as the user should read it."""
    try:
        yield
    except Refused as error:
        if "no space left" in str(error).lower():
            raise DevloopError(
                f"no space left for the image {reference}",
                hint=instructions(command("docker system df"), ", then ", command("docker image prune")),
            ) from None
        raise DevloopError(f"the container engine refuses {reference}: {error}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DevloopError(f"the container engine ended while it was asked for {reference}: {error}", hint=command("docker info")) from None


def _context(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _instructions(config: Mapping[str, Any]) -> list[str]:
    """`config` as instructions of a Dockerfile: all that Podman takes of it."""
    labels = [f"LABEL {json.dumps(name)}={json.dumps(value)}" for name, value in config.get("Labels", {}).items()]
    lists = [f"{name.upper()} {json.dumps(config[name])}" for name in ("Entrypoint", "Cmd") if config.get(name)]
    words = [f"{word} {config[name]}" for name, word in (("User", "USER"), ("WorkingDir", "WORKDIR")) if name in config]
    return [*lists, *words, *labels]
