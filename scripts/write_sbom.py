"""Writes the programs that the toolchain lock pins, and the Go modules that they are built from, as a CycloneDX file.

For the release workflow, after `pip install cyclonedx-bom`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from devloop.toolchain.lock import Tool, ToolRelease, load_lock


def golang(path: str, version: str, subpath: str = "") -> PackageURL:
    namespace, _, name = path.rpartition("/")
    return PackageURL("golang", namespace, name, version, subpath=subpath)


def program(tool: Tool) -> Component:
    """Our own worker has no module that others could fetch, and the version is a hash of its sources."""
    purl = golang(tool.module, f"v{tool.version}", tool.package.removeprefix(tool.module).strip("/")) if tool.module else None
    return Component(
        type=ComponentType.APPLICATION,
        name=tool.name,
        version=tool.version,
        purl=purl,
        bom_ref=tool.name,
        external_references=[download(release) for release in tool.releases.values()],
    )


def download(release: ToolRelease) -> ExternalReference:
    checksum = HashType(alg=HashAlgorithm.SHA_256, content=release.sha256)
    return ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(release.url), hashes=[checksum])


def modules(tool: Tool) -> list[Component]:
    """What its go.mod requires."""
    text = (tool.folder / "go.mod").read_text(encoding="utf-8")
    required = re.findall(r"^(?:\t|require )(\S+) (v\S+)", text, re.MULTILINE)
    return [library(path, version) for path, version in required]


def library(path: str, version: str) -> Component:
    purl = golang(path, version)
    return Component(type=ComponentType.LIBRARY, name=path, version=version, purl=purl, bom_ref=purl.to_string())


def lock_bom() -> Bom:
    bom = Bom()
    for tool in load_lock().values():
        application, libraries = program(tool), modules(tool)
        for component in (application, *libraries):
            bom.components.add(component)
        bom.register_dependency(application, libraries)
    return bom


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(JsonV1Dot6(lock_bom()).output_as_string(indent=1), encoding="utf-8")
