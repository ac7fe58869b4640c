"""OCI layouts without layers (image specification 1.1), for a containerd that already has the unpacked files on disk."""

import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from devloop.images.archive import Contents, Entry, add, configuration, write_layer


@dataclass(frozen=True)
class StoredImage:
    """Digests of the configuration and of the only layer, which is therefore the chain id too."""

    name: str
    config: str
    layer: str


def write_metadata(target: IO[bytes], images: Mapping[str, tuple[str, Contents, Mapping[str, str]]]) -> tuple[StoredImage, ...]:
    """Write an OCI layout for `ctr images import --no-unpack`; `images`: name -> reference, contents, labels."""
    manifests, result = [], []
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, (reference, contents, labels) in images.items():
            layer = write_layer(contents.entries)
            config = configuration(contents, layer, labels)
            manifest = _manifest(config, layer)
            add(tar, _blob(config))
            add(tar, _blob(manifest))
            manifests.append(_descriptor(_MANIFEST, manifest) | {"annotations": {"io.containerd.image.name": reference}})
            result.append(StoredImage(name, _digest(config), layer))
        add(tar, Entry("index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()))
        add(tar, Entry("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'))
    return tuple(result)


_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


def _manifest(config: bytes, layer: str) -> bytes:
    layers = [{"mediaType": _LAYER, "digest": layer, "size": 0}]
    return json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": _descriptor(_CONFIG, config), "layers": layers}).encode()


def _descriptor(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


def _blob(content: bytes) -> Entry:
    return Entry("blobs/" + _digest(content).replace(":", "/"), content)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
