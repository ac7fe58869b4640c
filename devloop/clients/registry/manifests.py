"""From the digest of an image to the layers for one platform (OCI image specification 1.1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devloop.clients.http.failures import DownloadFailed, Reason
from devloop.clients.registry.session import Session


@dataclass(frozen=True)
class LayerBlob:
    digest: str
    media_type: str


def layer_blobs(session: Session, digest: str, platform: str) -> list[LayerBlob]:
    """The layers from the top down; `digest` is that of an index, or of a manifest if the image has one platform alone."""
    manifest = _manifest(session, digest)
    if "manifests" in manifest:
        manifest = _manifest(session, _for_platform(manifest, platform))
    try:
        return [LayerBlob(_checked(layer["digest"]), layer["mediaType"]) for layer in reversed(manifest["layers"])]
    except (KeyError, TypeError):
        raise DownloadFailed(Reason.UNUSABLE, "the image's manifest has no layers") from None


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _manifest(session: Session, digest: str) -> Mapping[str, Any]:
    content = session.manifest(_checked(digest))
    if digest_of(content) != digest:
        raise DownloadFailed(Reason.WRONG_DIGEST, f"the registry sends another manifest: {digest_of(content)}, expected {digest}")
    try:
        manifest = json.loads(content)
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise DownloadFailed(Reason.UNUSABLE, "the image's manifest is not a JSON object")
    return manifest


def _checked(digest: str) -> str:
    if not digest.startswith("sha256:"):
        raise DownloadFailed(Reason.UNUSABLE, f"the digest {digest} is not a SHA-256")
    return digest


def _for_platform(index: Mapping[str, Any], platform: str) -> str:
    """The digest of the manifest for `platform`; attestations have the platform unknown/unknown."""
    offered = {f"{each['os']}/{each['architecture']}": entry["digest"] for entry in index["manifests"] if (each := entry.get("platform"))}
    if platform not in offered:
        names = ", ".join(sorted(name for name in offered if not name.startswith("unknown")))
        raise DownloadFailed(Reason.NOT_FOUND, f"the image is not for {platform} but for {names or 'nothing'}")
    return str(offered[platform])
