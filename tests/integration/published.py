"""Stand-ins for what publishers offer: a registry and a release server that hold what was built here, under the published names."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPResponse
from pathlib import Path
from typing import IO
from urllib.parse import urljoin
from urllib.request import Request, urlopen

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devloop.clients import http
from devloop.clients.ports import free_ports
from devloop.clients.wait import until
from devloop.toolchain import Toolchain
from devloop.toolchain.lock import this_platform

HOSTS = ("ghcr.io", "registry-1.docker.io")
RELEASES = ("sops", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubectl", "kind")
# The base images of devloop's Dockerfiles; what stands in for them has Python and Git already.
BASES = ("library/python:3.13-alpine", "library/debian:bookworm-slim")


@dataclass
class Registry:
    """A real registry (CNCF Distribution) with its images in `folder`."""

    folder: Path
    digests: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def plain(self) -> Iterator[str]:
        """Serves on a free port of loopback, which engines push to without TLS; its address."""
        (port,) = free_ports(1)
        with self.serve(f"127.0.0.1:{port}", (), ()):
            answers = partial(http.status, "127.0.0.1", port, "/v2/", timeout=1)
            until(answers, "the registry", patience=30, stop=threading.Event(), hint="")
            yield f"localhost:{port}"

    @contextmanager
    def serve(self, address: str, before: tuple[str, ...], tls: tuple[Path, ...]) -> Iterator[None]:
        """`before` are words before the command; `tls` is the certificate and its key."""
        lines = ["version: 0.1", "log: {level: error}", f"storage: {{filesystem: {{rootdirectory: {self.folder / 'images'}}}}}", "http:"]
        lines += [f"  addr: {address}", *([f"  tls: {{certificate: {tls[0]}, key: {tls[1]}}}"] if tls else [])]
        config = self.folder / f"{address}.yml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text("\n".join(lines) + "\n")
        with (self.folder / "registry.log").open("a") as log:
            env = os.environ | {"OTEL_TRACES_EXPORTER": "none"}
            running = subprocess.Popen([*before, Toolchain().path("registry"), "serve", config], stdout=log, stderr=log, env=env)
        try:
            yield
        finally:
            running.terminate()
            running.wait()

    def push(self, images: Mapping[str, str]) -> None:
        """Published name (with a tag, without a host) -> local reference; the digests are kept. Layers are not compressed, to save time."""
        with self.plain() as address:
            for name, reference in images.items():
                self.digests[name] = push(f"http://{address}", name, reference)


def push(server: str, name: str, reference: str) -> str:
    """Push an image of the local engine to a registry; returns its digest."""
    repository, _, tag = name.rpartition(":")
    with tempfile.TemporaryFile() as file:
        subprocess.run(["docker", "save", reference], check=True, stdout=file)
        file.seek(0)
        with tarfile.open(fileobj=file) as saved:
            (index,) = json.loads(_member(saved, "manifest.json").read())
            config = _upload(server, repository, _member(saved, index["Config"]), f"{_IMAGE}.config.v1+json")
            layers = [_upload(server, repository, _member(saved, path), f"{_IMAGE}.layer.v1.tar") for path in index["Layers"]]
    kind = f"{_IMAGE}.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers}).encode()
    with _request("PUT", f"{server}/v2/{repository}/manifests/{tag}", manifest, {"Content-Type": kind}) as answer:
        return str(answer.headers["Docker-Content-Digest"])


_IMAGE = "application/vnd.oci.image"


def _member(archive: tarfile.TarFile, path: str) -> IO[bytes]:
    member = archive.extractfile(path)
    assert member, path
    return member


def _upload(server: str, repository: str, content: IO[bytes], kind: str) -> dict[str, object]:
    """Upload a blob in one piece (https://distribution.github.io/distribution/spec/api/#pushing-an-image); its descriptor."""
    digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    with _request("POST", f"{server}/v2/{repository}/blobs/uploads/", b"", {}) as started:
        place = urljoin(server, started.headers["Location"])
    separator = "&" if "?" in place else "?"
    headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
    _request("PUT", f"{place}{separator}digest={digest}", content, headers).close()
    return {"mediaType": kind, "digest": digest, "size": size}


def _request(method: str, url: str, data: bytes | IO[bytes], headers: Mapping[str, str]) -> HTTPResponse:
    answer: HTTPResponse = urlopen(Request(url, data, dict(headers), method=method), timeout=300)
    return answer


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True, timeout=600).stdout


def write_releases(folder: Path, toolchain: Toolchain, url: str) -> str:
    """Files for the release server in `folder`, etcd as an archive; the tables of the lock for them, served at `url`."""
    tables = []
    for name in RELEASES:
        program, member = toolchain.path(name).resolve(), ""
        file = folder / name
        if name == "etcd":
            member, file = "etcd-release/etcd", folder / "etcd.tar.gz"
            with tarfile.open(file, "w:gz", compresslevel=1) as archive:
                archive.add(program, member)
        else:
            file.symlink_to(program)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        table = f'[tools.{name}.releases.{this_platform()}]\nurl = "{url}/{file.name}"\nsha256 = "{digest}"\n'
        tables.append(table + (f'member = "{member}"\n' if member else ""))
    return "\n".join(tables)


def patched_lock(text: str, releases: str, digests: Mapping[str, str]) -> str:
    """The lock with the stand-ins' releases and digests in place of the published ones."""
    kept = re.sub(r"^\[tools\.[\w-]+\.releases\.[\w-]+\]\n(?:\w+ = .*\n)+\n?", "", text, flags=re.MULTILINE)
    for name, digest in digests.items():
        if name.startswith("kindest/node:v"):
            kept = re.sub(rf'^"{re.escape(name.partition(":v")[2])}" = .*$', f'"{name.partition(":v")[2]}" = "{digest}"', kept, flags=re.M)
        kept = re.sub(rf'"ghcr\.io/{re.escape(name)}@sha256:\w+"', f'"ghcr.io/{name}@{digest}"', kept)
    return f"{kept}\n{releases}"


def write_certificates(folder: Path, hosts: tuple[str, ...]) -> tuple[Path, Path, Path]:
    """An authority, and a certificate and key for `hosts`."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    authority = _certificate(issuer, issuer, authority_key, authority_key).add_extension(x509.BasicConstraints(True, None), True)
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0])])
    leaf = _certificate(subject, issuer, key, authority_key).add_extension(names, False)
    paths = (folder / "ca.crt", folder / "server.crt", folder / "server.key")
    for path, builder in zip(paths, (authority, leaf), strict=False):
        path.write_bytes(builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[2].write_bytes(key.private_bytes(*pem))
    return paths


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False).add_extension(identifier, False)
