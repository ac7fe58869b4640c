"""Writes the downloads that publishers offer, with their checksums, into devloop/toolchain/lock.toml; the rest of the file stays as it is.

For maintainers with a network: after a new version in the lock file, run `scripts/pin_releases.py [TOOL...]` and read the difference.
A checksum comes from its publisher: from a checksum file, or else from the digest that GitHub keeps for each file of a release. Everything
is downloaded once and compared with it. `--instead URL=OTHER` asks another server in place of one, for example a mirror.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import threading
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devloop.clients import http
from devloop.clients.archives import extract_member
from devloop.clients.registry import pull_file, resolve

LOCK = Path(__file__).parents[1] / "devloop" / "toolchain" / "lock.toml"
GITHUB, GITHUB_API, KUBERNETES = "https://github.com", "https://api.github.com", "https://dl.k8s.io"
NEVER = threading.Event()

LINUX = ("linux-amd64", "linux-arm64")
EVERYWHERE = (*LINUX, "darwin-amd64", "darwin-arm64")


@dataclass(frozen=True)
class Publisher:
    """Where releases are; the texts take {version}, {system}, {machine} and {archive}.

    `checksums` is a file with a line for each file of the release, or for this one alone; without it, GitHub is asked.
    """

    folder: str
    file: str
    checksums: str = ""
    member: str = ""
    platforms: Sequence[str] = EVERYWHERE


def _github(repository: str, file: str, checksums: str = "", member: str = "") -> Publisher:
    return Publisher(f"{GITHUB}/{repository}/releases/download/v{{version}}", file, checksums, member)


def _kubernetes(program: str, platforms: Sequence[str] = LINUX) -> Publisher:
    return Publisher(f"{KUBERNETES}/release/v{{version}}/bin/{{system}}/{{machine}}", program, f"{program}.sha256", platforms=platforms)


PUBLISHERS = {
    "sops": _github("getsops/sops", "sops-v{version}.{system}.{machine}", "sops-v{version}.checksums.txt"),
    "etcd": _github(
        "etcd-io/etcd", "etcd-v{version}-{system}-{machine}.{archive}", "SHA256SUMS", "etcd-v{version}-{system}-{machine}/etcd"
    ),
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "kube-scheduler": _kubernetes("kube-scheduler"),
    "kwok": _github("kubernetes-sigs/kwok", "kwok-{system}-{machine}"),
    "kubectl": _kubernetes("kubectl", EVERYWHERE),
    "kind": _github("kubernetes-sigs/kind", "kind-{system}-{machine}", "kind-{system}-{machine}.sha256sum"),
}

# Programs that are published in images alone.
IMAGES = {name: f"ghcr.io/fluxcd/{name}" for name in ("source-controller", "kustomize-controller", "helm-controller")}


class Servers:
    """The publishers' servers, or others in their place."""

    def __init__(self, instead: Mapping[str, str]) -> None:
        self._instead = instead

    def at(self, url: str) -> str:
        base = next((base for base in self._instead if url.startswith(f"{base}/")), "")
        return self._instead[base] + url.removeprefix(base) if base else url

    def text(self, url: str) -> str:
        return http.fetch(self.at(url), NEVER).decode()

    def release(self, repository: str, version: str) -> Mapping[str, Any]:
        """As GitHub describes it: https://docs.github.com/en/rest/releases/releases."""
        content: Mapping[str, Any] = json.loads(self.text(f"{GITHUB_API}/repos/{repository}/releases/tags/v{version}"))
        return content


def published_checksum(servers: Servers, url: str, checksums: str, version: str) -> str | None:
    """The publisher's checksum of the file at `url`; None if there is no such file."""
    folder, _, name = url.rpartition("/")
    try:
        if not checksums:
            assets = servers.release("/".join(folder.removeprefix(GITHUB).split("/")[1:3]), version)["assets"]
            return next((asset["digest"].removeprefix("sha256:") for asset in assets if asset["name"] == name), None)
        return listed_checksum(servers.text(f"{folder}/{checksums}"), name)
    except http.DownloadFailed as error:
        if error.reason is http.Reason.NOT_FOUND:
            return None
        raise


def listed_checksum(text: str, name: str) -> str | None:
    """From a line `CHECKSUM  NAME` of `sha256sum`, or from a file with the checksum alone."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    found = {words[0] for words in lines if len(words) == 1 or Path(words[-1].lstrip("*")).name == name}
    valid = {each for each in found if re.fullmatch(r"[0-9a-f]{64}", each)}
    return valid.pop() if len(found) == len(valid) == 1 else None


def pinned_release(servers: Servers, tool: str, version: str, platform: str) -> list[str] | None:
    """The lines of the table for one platform, once the download fits; None if there is none."""
    publisher, (system, machine) = PUBLISHERS[tool], platform.split("-")
    words = {"version": version, "system": system, "machine": machine, "archive": "tar.gz" if system == "linux" else "zip"}
    url, checksums, member = (
        text.format(**words) for text in (f"{publisher.folder}/{publisher.file}", publisher.checksums, publisher.member)
    )
    sha256 = published_checksum(servers, url, checksums, version)
    if not sha256:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        http.download(servers.at(url), Path(scratch, "file"), lambda *_: None, NEVER, sha256=sha256)
        if member:
            extract_member(Path(scratch, "file"), member, Path(scratch, "program"))
    lines = [f"[tools.{tool}.releases.{platform}]", f'url = "{url}"', f'sha256 = "{sha256}"']
    return [*lines, f'member = "{member}"'] if member else lines


def pinned_image(tool: str, version: str) -> list[str]:
    """The lines of the table, once the program was found in the image for each platform."""
    tagged, path = f"{IMAGES[tool]}:v{version}", f"/usr/local/bin/{tool}"
    reference = f"{tagged}@{resolve(tagged, NEVER)}"
    with tempfile.TemporaryDirectory() as scratch:
        for platform in LINUX:
            pull_file(reference, path, platform.replace("-", "/"), Path(scratch, "program"), lambda *_: None, NEVER)
    return [f"[tools.{tool}.image]", f'reference = "{reference}"', f'path = "{path}"']


def pinned_node_images(servers: Servers, version: str) -> list[str]:
    """From the notes of a release of Kind, which promises that these work with it."""
    notes = servers.release("kubernetes-sigs/kind", version)["body"]
    images = dict(sorted(set(re.findall(r"kindest/node:v([0-9.]+)@(sha256:[0-9a-f]{64})", notes)), key=_newest_first))
    if not images:
        raise SystemExit(f"the notes of kind {version} list no node images")
    return [f'[node-images."{version}"]', *(f'"{name}" = "{digest}"' for name, digest in images.items())]


def _newest_first(image: tuple[str, str]) -> list[int]:
    return [-int(part) for part in image[0].split(".")]


def replace_tables(text: str, prefix: str, tables: Sequence[Sequence[str]], after: str) -> str:
    """The tables whose header begins with `prefix` become `tables`: at the place of the first, or after the table `after`."""
    kept, place = [], None
    for paragraph in re.split(r"(?<=\n)\n+", text):
        if paragraph.startswith(prefix):
            place = len(kept) if place is None else place
        else:
            kept.append(paragraph)
    if place is None:
        place = next(number for number, paragraph in enumerate(kept) if paragraph.startswith(after)) + 1
    kept[place:place] = ["\n".join(table) + "\n" for table in tables]
    return "\n".join(kept)


def pin(text: str, servers: Servers, tool: str) -> str:
    """The lock file with what is published of `tool`."""
    lock = tomllib.loads(text)
    version = lock["modules"][lock["tools"][tool]["module"]]["version"]
    header = f"[tools.{tool}]"
    if tool in IMAGES:
        text = replace_tables(text, f"[tools.{tool}.image]", [pinned_image(tool, version)], header)
    if tool in PUBLISHERS:
        text = replace_tables(text, f"[tools.{tool}.releases.", list(_releases(servers, tool, version)), header)
    if tool == "kind":
        text = replace_tables(text, "[node-images.", [pinned_node_images(servers, version)], "#")
    return text


def _releases(servers: Servers, tool: str, version: str) -> Iterator[list[str]]:
    for platform in PUBLISHERS[tool].platforms:
        table = pinned_release(servers, tool, version, platform)
        print(f"{tool} {version} {platform}: {'pinned' if table else 'not published'}", flush=True)
        if table:
            yield table


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=f"of {', '.join((*PUBLISHERS, *IMAGES))}; all of them by default")
    parser.add_argument("--lock", type=Path, default=LOCK)
    parser.add_argument("--instead", action="append", default=[], metavar="URL=OTHER")
    options = parser.parse_args(arguments)
    if unknown := set(options.tools) - {*PUBLISHERS, *IMAGES}:
        parser.error(f"nobody publishes {', '.join(sorted(unknown))}")
    servers = Servers(dict(each.split("=", 1) for each in options.instead))
    for tool in options.tools or [*PUBLISHERS, *IMAGES]:
        try:
            options.lock.write_text(pin(options.lock.read_text(encoding="utf-8"), servers, tool), encoding="utf-8")
        except http.DownloadFailed as error:
            raise SystemExit(f"{tool}: {error}") from None


if __name__ == "__main__":
    main()
