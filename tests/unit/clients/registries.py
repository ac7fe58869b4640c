"""A real registry (CNCF Distribution) on loopback, and images for it."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import io
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import yaml
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from devloop.clients import wait
from devloop.clients.ports import free_ports
from devloop.images.archive import Entry, write_layer
from devloop.provisioners.embedded.authority import Authority, Issued

from .servers import send

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Registry:
    """`headers` are those that pushing takes."""

    host: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def push(
        self,
        name: str,
        layers: Sequence[Sequence[Entry]],
        *,
        tag: str = "1.0.0",
        compression: str = "gzip",
        machines: Sequence[str] = ("amd64",),
    ) -> str:
        """An index of images for Linux, all with the same layers, given from the bottom up. The digest of the index."""
        descriptors = [self.blob(name, *packed(layer, compression=compression)) for layer in layers]
        config = self.blob(name, b"{}", "application/vnd.oci.image.config.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": descriptors}
        image = self.manifest(name, json.dumps(manifest).encode(), MANIFEST)
        entries = [{**image, "platform": {"os": "linux", "architecture": machine}} for machine in machines]
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return str(self.manifest(name, json.dumps(index).encode(), INDEX, tag)["digest"])

    def blob(self, name: str, content: bytes, media_type: str) -> dict[str, object]:
        with self._request("POST", f"/v2/{name}/blobs/uploads/") as answer:
            location = answer.headers["Location"]
        digest = digest_of(content)
        path = location.removeprefix(f"http://{self.host}")
        with self._request("PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", content, "application/octet-stream"):
            return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def manifest(self, name: str, content: bytes, media_type: str, reference: str = "") -> dict[str, object]:
        digest = digest_of(content)
        with self._request("PUT", f"/v2/{name}/manifests/{reference or digest}", content, media_type):
            return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def _request(self, method: str, path: str, content: bytes = b"", media_type: str = "") -> contextlib.AbstractContextManager:  # type: ignore[type-arg]
        headers = {**self.headers, **({"Content-Type": media_type} if media_type else {})}
        return urlopen(Request(f"http://{self.host}{path}", content, headers, method=method), timeout=120)  # type: ignore[no-any-return]


def packed(layer: Sequence[Entry], *, compression: str = "gzip") -> tuple[bytes, str]:
    """Its bytes and media type."""
    file = io.BytesIO()
    write_layer(layer, file)
    if compression == "gzip":
        return gzip.compress(file.getvalue(), 1), LAYER
    return file.getvalue(), LAYER.removesuffix("+gzip") + (f"+{compression}" if compression else "")


@contextlib.contextmanager
def running(program: Path, folder: Path, *, enter: Sequence[str] = (), port: int = 0, **settings: object) -> Iterator[Registry]:
    """The registry until the end of the block, on a free port unless one is given; `settings` are sections of its configuration.

    `enter` are words before a command that has to run where the registry does.
    """
    port = port or free_ports(1)[0]
    configuration = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "tests", **({"tls": tls} if (tls := settings.pop("tls", None)) else {})},
        **settings,
    }
    (folder / "config.yml").write_text(yaml.safe_dump(configuration))
    environment = {"PATH": "/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*enter, program, "serve", folder / "config.yml"], stdout=log, stderr=log, env=environment)
    try:
        listening = partial(listens, port, enter)
        wait.until(listening, "the registry", patience=20, stop=threading.Event(), hint=(folder / "log").read_text)
        yield Registry(f"127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)


def listens(port: int, enter: Sequence[str] = ()) -> bool:
    """Whether something listens on loopback, where the words `enter` lead."""
    code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"
    return subprocess.run([*enter, sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode == 0


def token_server(authority: Authority, service: str) -> object:
    """Gives anyone a token for what they ask for, signed by a certificate of `authority`."""
    issued = authority.issue("tokens")

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        scopes = [scope.split(":") for scope in query.get("scope", [])]
        access = [{"type": kind, "name": name, "actions": actions.split(",")} for kind, name, actions in scopes]
        send(handler, 200, json.dumps({"token": token(issued, query["service"][0], access)}).encode())

    return answer


def token(issued: Issued, service: str, access: Sequence[object]) -> str:
    """A JWT as https://distribution.github.io/distribution/spec/auth/jwt/ describes it."""
    chain = [base64.b64encode(_der(issued.certificate)).decode()]
    now = int(time.time())
    times = {"iat": now, "nbf": now - 10, "exp": now + 300}
    claims = {"iss": "tests", "sub": "", "aud": service, "jti": str(uuid.uuid4()), "access": access, **times}
    text = ".".join(map(_encoded, ({"typ": "JWT", "alg": "ES256", "x5c": chain}, claims)))
    key = load_pem_private_key(issued.key.encode(), None)
    numbers = decode_dss_signature(key.sign(text.encode(), ECDSA(SHA256())))  # type: ignore[union-attr, call-arg, arg-type]
    return f"{text}.{_encoded(b''.join(number.to_bytes(32, 'big') for number in numbers))}"


def _der(certificate: str) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return load_pem_x509_certificate(certificate.encode()).public_bytes(Encoding.DER)


def _encoded(value: object) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
