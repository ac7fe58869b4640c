"""Files out of published images, over the API of their registry (OCI distribution specification 1.1): anonymous, and without an engine."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from devloop.clients.archives import write_program
from devloop.clients.http.downloads import OnFraction
from devloop.clients.http.failures import DownloadFailed, Reason
from devloop.clients.http.limits import LIMITS, Limits
from devloop.clients.registry.layers import Layer, find
from devloop.clients.registry.manifests import LayerBlob, digest_of, layer_blobs
from devloop.clients.registry.mirrors import locate, mirrors
from devloop.clients.registry.session import Session


def pull_file(
    reference: str,
    path: str,
    platform: str,
    target: Path,
    on_fraction: OnFraction,
    stop: threading.Event,
    *,
    mirrored: Mapping[str, str] | None = None,
    partials: Path | None = None,
    limits: Limits = LIMITS,
) -> None:
    """Write the file `path` of an image to the program `target`. Everything that arrives is checked against the digest of `reference`.

    `reference` is HOST/NAME[:TAG]@sha256:DIGEST, `platform` is linux/amd64 or linux/arm64. Layers are read from the top down.
    `mirrored` and `partials` as for `mirrors()` and `http.download`. Raises DownloadFailed, OSError or Interrupted.
    """
    repository, _, digest = locate(reference, mirrors() if mirrored is None else mirrored)
    if not digest:
        raise DownloadFailed(Reason.UNUSABLE, f"{reference} has no digest to check it against")
    with Session(repository, stop, limits) as session, tempfile.TemporaryDirectory(prefix=".image-", dir=target.parent) as scratch:

        def opened(blob: LayerBlob) -> Layer:
            file = Path(scratch) / blob.digest.partition(":")[2]
            session.download(blob.digest, file, on_fraction, partials or target.parent)
            return Layer(file, blob.media_type)

        found = find(layer_blobs(session, digest, platform), opened, path)
        if not found:
            raise DownloadFailed(Reason.UNUSABLE, f"the image has no file {path}")
        layer, member = found
        with layer.reader(member) as source:
            write_program(source, member.size, target)


def resolve(reference: str, stop: threading.Event, *, mirrored: Mapping[str, str] | None = None, limits: Limits = LIMITS) -> str:
    """The digest that the tag of `reference` has now. Raises DownloadFailed or Interrupted."""
    repository, tag, _ = locate(reference, mirrors() if mirrored is None else mirrored)
    with Session(repository, stop, limits) as session:
        return digest_of(session.manifest(tag))
