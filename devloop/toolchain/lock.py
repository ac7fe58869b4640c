"""The lock file: the pinned programs, their versions, and everything that determines their content."""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_name("lock.toml")

# GOARCH of the machines in releases.<system>-<machine>.
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def this_platform() -> str:
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{_MACHINES.get(machine, machine)}"


@dataclass(frozen=True)
class ToolRelease:
    """A program to download, and its publisher's checksum; `member` is its path in an archive, '' if the file is the program."""

    url: str
    sha256: str
    member: str = ""


@dataclass(frozen=True)
class ToolImage:
    """The published image of a program: its `reference`, and the `path` of the program in it."""

    reference: str
    path: str = ""


@dataclass(frozen=True)
class VendoredFiles:
    """Files from other Go modules; `modules` maps `path@version` to the checksum in the format of go.sum."""

    pattern: str
    modules: Mapping[str, str]


@dataclass(frozen=True)
class Tool:
    """One pinned program. `folder` holds its go.mod and go.sum; `module` is the upstream module, empty for our own sources;
    `seconds` is a cold build on two cores after the tools before it, `packages` how many Go packages it compiles then."""

    name: str
    version: str
    folder: Path
    module: str
    package: str
    seconds: float
    packages: int
    stamps: Mapping[str, str] = field(default_factory=dict)
    ask: tuple[str, ...] = ()
    answer: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    borrowed: Mapping[str, VendoredFiles] = field(default_factory=dict)
    releases: Mapping[str, ToolRelease] = field(default_factory=dict)
    image: ToolImage | None = None

    @property
    def build_seconds(self) -> float:
        """The cold build here. More cores help less and less: packages wait for each other, and linking uses one thread."""
        return self.seconds * max(2 / (os.cpu_count() or 2), 0.3)

    @property
    def linker_flags(self) -> str:
        return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in self.stamps.items())])

    @property
    def has_data(self) -> bool:
        """Whether the tool includes files of Go modules, which only a build extracts."""
        return bool(self.files or self.borrowed)

    @property
    def release(self) -> ToolRelease | None:
        """What the publisher offers for this platform."""
        return self.releases.get(this_platform())

    @property
    def pinned_image(self) -> ToolImage | None:
        """The published image, if it has a program for this platform and a digest."""
        return self.image if self.image and "@" in self.image.reference and this_platform().startswith("linux-") else None

    @property
    def file_names(self) -> tuple[str, ...]:
        """The files of the installed tool."""
        return (self.name, *(f"{kind}.json" for kind in (*self.files, *self.borrowed)))

    @cached_property
    def key(self) -> str:
        """The version and a hash of everything else that determines the program."""
        return self.key_on(this_platform())

    def key_on(self, platform: str) -> str:
        """The key on another platform, for example linux-arm64."""
        inputs = [platform, self.package, self.linker_flags, dict(self.files), *map(asdict, self.borrowed.values())]
        digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode())
        for name in ("go.mod", "go.sum"):
            digest.update((self.folder / name).read_bytes())
        return f"{self.version}-{digest.hexdigest()[:12]}"


def load_node_images(path: Path, kind: str) -> dict[str, str]:
    """Kubernetes version -> reference, of the node images that were published with this version of Kind."""
    published = _read(path).get("node-images", {}).get(kind, {})
    return {version: f"kindest/node:v{version}@{digest}" for version, digest in published.items()}


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(path.read_text(encoding="utf-8"))


def load_lock(path: Path = LOCK) -> dict[str, Tool]:
    """All tools by name, in build order; the folders with go.mod files are next to the lock file."""
    content = _read(path)
    modules = content.get("modules", {})
    return {name: _tool(name, entry, modules, path.parent) for name, entry in content["tools"].items()}


def _tool(name: str, entry: Mapping[str, Any], modules: Mapping[str, Any], root: Path) -> Tool:
    module = modules.get(entry["module"], {})
    folder = root / "modules" / entry["module"] if module else _own_sources(root, entry["module"])
    return Tool(
        name=name,
        version=module.get("version") or _content_version(folder),
        folder=folder,
        module=module.get("path", ""),
        package=entry["package"],
        seconds=entry["seconds"],
        packages=entry["packages"],
        stamps=module.get("stamps", {}),
        ask=tuple(entry.get("ask", ())),
        answer=entry.get("answer", ""),
        files=entry.get("files", {}),
        borrowed={kind: VendoredFiles(**each) for kind, each in entry.get("borrowed", {}).items()},
        releases={where: ToolRelease(**release) for where, release in entry.get("releases", {}).items()},
        image=ToolImage(**entry["image"]) if "image" in entry else None,
    )


def _own_sources(root: Path, name: str) -> Path:
    """The worker's sources are at the root of a checkout, or inside an installed package."""
    places = [above / name for above in (root, *root.parents[:2])]
    return next((place for place in places if (place / "go.mod").is_file()), places[0])


def _content_version(folder: Path) -> str:
    """The version of devloop's own sources is a hash of their content without tests."""
    digest = hashlib.sha256()
    for source in sorted(path for path in folder.rglob("*") if path.suffix in (".go", ".json")):
        if not source.name.endswith("_test.go"):
            digest.update(f"{source.relative_to(folder)}\0".encode() + source.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
