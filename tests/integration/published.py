"""Stand-ins for what publishers offer: a registry and a release server that hold what was built here, under the published names."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from devloop.provisioners.embedded.authority import new_authority
from devloop.toolchain import Toolchain
from devloop.toolchain.lock import this_platform

from ..unit.clients.registries import MANIFEST, Registry

HOSTS = ("ghcr.io", "registry-1.docker.io")
RELEASES = ("sops", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubectl", "kind")
# The base images of devloop's Dockerfiles; what stands in for them has Python and Git already.
BASES = ("library/python:3.13-alpine", "library/debian:bookworm-slim")


def publish(registry: Registry, images: Mapping[str, str]) -> dict[str, str]:
    """Push images of the local engine: published name (with a tag, without a host) -> local reference. The digests by name."""
    return {name: push(registry, name, reference) for name, reference in images.items()}


def push(registry: Registry, name: str, reference: str) -> str:
    """The digest. Layers are not compressed, to save time."""
    repository, _, tag = name.rpartition(":")
    with tempfile.TemporaryFile() as file:
        subprocess.run(["docker", "save", reference], check=True, stdout=file)
        file.seek(0)
        with tarfile.open(fileobj=file) as saved:
            (index,) = json.loads(_member(saved, "manifest.json"))
            config = registry.blob(repository, _member(saved, index["Config"]), f"{_IMAGE}.config.v1+json")
            layers = [registry.blob(repository, _member(saved, path), f"{_IMAGE}.layer.v1.tar") for path in index["Layers"]]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).encode()
    return str(registry.manifest(repository, manifest, MANIFEST, tag)["digest"])


_IMAGE = "application/vnd.oci.image"


def _member(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(path)
    assert member, path
    return member.read()


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


def write_certificates(folder: Path, hosts: tuple[str, ...]) -> dict[str, str]:
    """The certificate of an authority in ca.crt, and the section `tls` for a registry with a certificate of it for `hosts`."""
    authority = new_authority("tests")
    issued = authority.issue("registry", hosts=hosts)
    (folder / "ca.crt").write_text(authority.pem)
    (folder / "server.crt").write_text(issued.certificate)
    (folder / "server.key").write_text(issued.key)
    return {"certificate": str(folder / "server.crt"), "key": str(folder / "server.key")}
