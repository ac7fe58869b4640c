"""Images of the container engine: looking up, building, loading, saving and removing them."""

import contextlib
import http.client
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from devloop.clients.background import unless_stopped
from devloop.clients.engine import Engine, NoSuchObject, Refused, filters, library, quoted, tar_archive
from devloop.errors import DevloopError, Interrupted
from devloop.hint import command, instructions

PATIENCE = 900.0  # seconds for a command in a new image


class ImageStore:
    """The images of one engine; thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def identity(self, reference: str) -> str:
        """The id of the image, '' if it does not exist."""
        with _explained(reference), contextlib.suppress(NoSuchObject):
            return str(self._engine.ask("GET", f"/images/{quoted(reference)}/json")["Id"])
        return ""

    def labels(self, name: str) -> dict[str, str]:
        """Reference -> value of the label `name`, for all images that have it; one request to the engine."""
        with _explained("images"):
            found = self._engine.ask("GET", "/images/json", filters=filters(label=name))
        return {reference: (item.get("Labels") or {}).get(name, "") for item in found for reference in item.get("RepoTags") or ()}

    def references(self, name: str) -> tuple[str, ...]:
        """All tags of images whose name matches `name` (* for any part), newest first."""
        with _explained(name):
            found = self._engine.ask("GET", "/images/json", filters=filters(reference=name))
        newest = sorted(found, key=lambda item: -int(item.get("Created") or 0))
        return tuple(reference for item in newest for reference in item.get("RepoTags") or ())

    def size(self, reference: str) -> int:
        """The size of the image in bytes."""
        with _explained(reference):
            return int(self._engine.ask("GET", f"/images/{quoted(reference)}/json")["Size"])

    def load(self, archive: Path, reference: str) -> None:
        """Load the image `reference` from an archive of `docker save`."""
        with _explained(reference), library(), archive.open("rb") as file:
            list(self._engine.client.images.load(file))

    def pull(self, reference: str, on_fraction: Callable[[float], None], stop: threading.Event) -> None:
        """Pull the image; raises ImageNotPulled with the reason."""
        from devloop.clients.engine.pull import pull

        with _explained(reference):
            unless_stopped(lambda: pull(self._engine, reference, on_fraction, stop), reference, stop)

    def remove(self, reference: str) -> bool:
        """Remove the image if it exists and no container uses it; whether it did."""
        with _explained(reference), contextlib.suppress(Refused):
            if reference:
                self._engine.ask("DELETE", f"/images/{quoted(reference)}")
                return True
        return False

    def derive(
        self,
        base: str,
        command: Sequence[str],
        reference: str,
        config: Mapping[str, Any],
        options: Mapping[str, Any],
        stop: threading.Event,
    ) -> None:
        """Run `command` in the image `base` and commit the result as `reference`; raises DevloopError with its output if it fails.

        `config` is the new image's configuration in OCI terms; `options` are more arguments for the container.
        """
        repository, _, tag = reference.rpartition(":")
        with _explained(reference), library():
            container = self._engine.client.containers.create(base, entrypoint=list(command), network_mode="none", **options)
            try:
                container.start()
                if unless_stopped(container.wait, reference, stop, PATIENCE)["StatusCode"]:
                    raise DevloopError(f"building {reference} failed: {container.logs().decode(errors='replace').strip()[-2000:]}")
                # Otherwise the image inherits the entrypoint and command of the container.
                container.commit(repository, tag, conf={"Entrypoint": [], "Cmd": [], **config}, changes=_instructions(config))
            finally:
                container.remove(force=True, v=True)

    def build(self, reference: str, files: Mapping[str, bytes], arguments: Mapping[str, str], stop: threading.Event) -> None:
        """Build the Dockerfile in `files` (path -> content) with build `arguments` as `reference`."""
        output = ""
        context, options = io.BytesIO(tar_archive(files)), {"custom_context": True, "rm": True, "forcerm": True, "decode": True}
        with _explained(reference), library():
            for message in self._engine.client.api.build(fileobj=context, tag=reference, buildargs=dict(arguments), **options):
                if stop.is_set():
                    raise Interrupted(f"interrupted while building {reference}")
                output += str(message.get("stream") or message.get("error") or "")
                if "error" in message:
                    hint = instructions(command("devloop toolchain images"), ", or check that its base image can be pulled")
                    raise DevloopError(f"the image {reference} cannot be built: {' '.join(output.split())[-300:]}", hint=hint)

    def save(self, reference: str) -> Iterator[bytes]:
        """The image as an archive for containerd, in chunks."""
        with _explained(reference), library():
            yield from self._engine.client.api.get_image(reference, chunk_size=1 << 20)


@contextlib.contextmanager
def _explained(reference: str) -> Iterator[None]:
    """Turn errors of the engine into DevloopErrors."""
    try:
        yield
    except Refused as error:
        if "no space left" in str(error).lower():
            hint = instructions(command("docker system df"), ", then ", command("docker image prune"))
            raise DevloopError(f"no space left for the image {reference}", hint=hint) from None
        raise DevloopError(f"the container engine rejects {reference}: {error}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DevloopError(f"the container engine gave no answer about {reference}: {error}", hint=command("docker info")) from None


def _instructions(config: Mapping[str, Any]) -> list[str]:
    """`config` as Dockerfile instructions, the only form that Podman accepts."""
    labels = [f"LABEL {json.dumps(name)}={json.dumps(value)}" for name, value in config.get("Labels", {}).items()]
    lists = [f"{name.upper()} {json.dumps(config[name])}" for name in ("Entrypoint", "Cmd") if config.get(name)]
    words = [f"{word} {config[name]}" for name, word in (("User", "USER"), ("WorkingDir", "WORKDIR")) if name in config]
    return [*lists, *words, *labels]
