"""Images of the container engine: which are there, building and saving them."""

from __future__ import annotations

import contextlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping

from devloop.clients.engine import Engine
from devloop.errors import DevloopError, Interrupted


class ImageStore:
    """The images of one engine; safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._client = engine.client

    def identity(self, reference: str) -> str:
        """The id of the image that `reference` names, '' where there is none."""
        import docker.errors

        with contextlib.suppress(docker.errors.ImageNotFound, docker.errors.NotFound):
            return str(self._client.api.inspect_image(reference)["Id"])
        return ""

    def build(self, reference: str, files: Mapping[str, bytes], arguments: Mapping[str, str], stop: threading.Event) -> None:
        """Build the Dockerfile among `files` (path -> content) with build `arguments` and name it."""
        said: list[str] = []
        stream = self._client.api.build(
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
                    hint="devloop toolchain images, or see that its base image can be pulled",
                )

    def save(self, reference: str) -> Iterator[bytes]:
        """The image as an archive that containerd can import, in parts."""
        yield from self._client.api.get_image(reference, chunk_size=1 << 20)


def _context(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
