"""Which sources stand for the repository itself, and which for something that cannot be checked here. Looks at folders, reads no file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from devloop.model.kustomization import Kustomization, SourceRef
from devloop.model.manifest import Manifest

KINDS = frozenset({"GitRepository", "OCIRepository", "Bucket"})
BOOTSTRAPPED = ("flux-system", "flux-system")


class Sources:
    """What is known of the sources so far; `base` is the folder below `root` that paths count from."""

    def __init__(self, root: Path, base: str, remotes: Collection[str]) -> None:
        self.own: set[SourceRef] = set()
        self._foreign: set[SourceRef] = set()
        self._folder = root / base
        self._remotes = {_address(url) for url in remotes}

    def see(self, manifest: Manifest) -> None:
        """A rendered source is the repository's own when it says the repository's address."""
        if manifest.kind not in KINDS or not manifest.api_version.startswith("source.toolkit.fluxcd.io/"):
            return
        ref = SourceRef(manifest.kind, manifest.namespace or "default", manifest.name)
        url = (manifest.body.get("spec") or {}).get("url")
        (self.own if _address(str(url)) in self._remotes or _is_bootstrapped(ref) else self._foreign).add(ref)

    def is_own(self, kustomization: Kustomization) -> bool | None:
        """None: not known before everything that can be rendered has been."""
        ref = kustomization.source
        if _is_bootstrapped(ref):
            self.own.add(ref)
        if ref in self.own:
            return True
        return False if ref in self._foreign or ref.kind not in KINDS else None

    def decide(self, kustomizations: Iterable[Kustomization]) -> None:
        """Nothing renders the sources of these: such a source is the repository when it has a folder that one of them wants."""
        for kustomization in kustomizations:
            (self.own if self._has(kustomization.path) else self._foreign).add(kustomization.source)
        self._foreign -= self.own

    def _has(self, path: str) -> bool:
        return (self._folder / posixpath.normpath("/" + path).lstrip("/")).is_dir()


def _is_bootstrapped(ref: SourceRef) -> bool:
    """Flux itself and KSail give the repository's source this name."""
    return ref.kind in KINDS and (ref.namespace, ref.name) == BOOTSTRAPPED


def _address(url: str) -> str:
    """Host and path alone: ssh://git@host/a/b.git, git@host:a/b and https://host/a/b are one address."""
    bare = re.sub(r"^(\w+://)?([^/@]*@)?", "", url.strip().lower())
    return re.sub(r"^([^/:]+)(:\d+(?=/)|:)?/*", r"\1/", bare).removesuffix("/").removesuffix(".git")
