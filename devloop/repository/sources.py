"""Decides which Flux sources are this repository, and which are foreign and so cannot be checked. Looks at folders, reads no files."""

import posixpath
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import cast

from devloop.clients import worker_protocol as protocol
from devloop.model.flux.artifact_generator import ARTIFACT, Artifact, artifacts
from devloop.model.flux.kustomization import Kustomization, SourceRef
from devloop.model.flux.names import ROOT, SOURCES
from devloop.model.flux.source_settings import SourceSettings, is_source, source_settings
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId


class Sources:
    """What is known about sources so far; paths are relative to `base` below `root`."""

    def __init__(self, root: Path, base: str, remotes: Collection[str]) -> None:
        self.own: set[SourceRef] = set()
        self._artifacts: dict[SourceRef, Artifact] = {}
        self._base = base
        self._foreign: set[SourceRef] = set()
        self._settings: dict[SourceRef, SourceSettings] = {}
        self._folder = root / base
        self._remotes = {_address(url) for url in remotes}

    def add(self, manifest: Manifest) -> None:
        """A rendered source is the repository if it has one of its URLs, see decide() for one without remotes; an artifact, if all of its
        sources are."""
        self._artifacts |= {artifact.ref: artifact for artifact in artifacts(manifest)}
        if not is_source(manifest):
            return
        ref = SourceRef(manifest.kind, manifest.id.namespace, manifest.name)
        self._settings[ref] = source_settings(manifest)
        if _address(str(manifest.mapping("spec").get("url"))) in self._remotes or _is_bootstrapped(ref):
            self.own.add(ref)
        elif self._remotes:
            self._foreign.add(ref)

    def is_own(self, kustomization: Kustomization) -> bool | None:
        """None: unknown until everything that can be rendered is."""
        return self._is_own(kustomization.source)

    def _is_own(self, ref: SourceRef) -> bool | None:
        if _is_bootstrapped(ref):
            self.own.add(ref)
        if ref in self.own:
            return True
        if artifact := self._artifacts.get(ref):
            verdicts = {self._is_own(source) for source in artifact.used.values()}
            return False if False in verdicts else None if None in verdicts else True
        return False if ref in self._foreign or ref.kind not in {*SOURCES, ARTIFACT} else None

    def holds(self, ref: SourceRef) -> bool:
        """Whether the source is the repository, once everything is rendered."""
        return self._is_own(ref) is True

    def artifact(self, ref: SourceRef) -> protocol.Artifact | None:
        """How to make an artifact that paths count from, as the worker wants it; None where that is a repository."""
        if not (artifact := self._artifacts.get(ref)):
            return None
        sources = dict.fromkeys(artifact.used, self._base)
        settings = {alias: found for alias, ref in artifact.used.items() if (found := self.settings(ref))}
        return {
            "name": artifact.ref.name,
            "origin": artifact.origin,
            "sources": sources,
            "settings": settings,
            "copy": cast("Sequence[protocol.CopyOperation]", artifact.copies),
        }

    def settings(self, ref: SourceRef) -> protocol.SourceSettings | None:
        """What the source's object says about its content, as the worker expects it; None where it says nothing."""
        found = self._settings.get(ref, SourceSettings())
        settings: protocol.SourceSettings = {}
        if found.ignore:
            settings["ignore"] = found.ignore
        if found.sparse:
            settings["sparse"] = found.sparse
        if found.submodules:
            settings["submodules"] = True
        if found.included:
            settings["unknown"] = {folder: f"{source}, by spec.include" for folder, source in found.included.items()}
        return settings or None

    def decide(self, kustomizations: Iterable[Kustomization]) -> None:
        """For sources whose URL says nothing: that are not rendered, or in a repository without remotes.

        Such a source is the repository if it has a folder that one of these needs; a rendered one, if it has all of them.
        """
        needed: dict[SourceRef, set[str]] = {}
        for kustomization in kustomizations:
            if artifact := self._artifacts.get(kustomization.source):
                for alias, ref in artifact.used.items():
                    needed.setdefault(ref, set()).update(map(_normal, artifact.wanted(alias)))
            else:
                paths = {_normal(kustomization.path)} if kustomization.source.kind in SOURCES else set()
                needed.setdefault(kustomization.source, set()).update(paths)
        for ref, paths in needed.items():
            if self._is_own(ref) is None:
                (self.own if self._has(ref, paths) else self._foreign).add(ref)

    def _has(self, ref: SourceRef, paths: set[str]) -> bool:
        if ref not in self._settings:
            return any((self._folder / path).exists() for path in paths)
        # Any repository has a root folder.
        folders = paths - {"."}
        return bool(folders) and all((self._folder / path).exists() for path in folders)


def _normal(path: str) -> str:
    return posixpath.normpath("/" + path).lstrip("/") or "."


def _is_bootstrapped(ref: SourceRef) -> bool:
    """Flux and KSail give the repository's source this name."""
    return ref.kind in SOURCES and ObjectId(ref.namespace, ref.name) == ROOT


def _address(url: str) -> str:
    """Only host and path: ssh://git@host/a/b.git, git@host:a/b and https://host/a/b have the same address."""
    bare = re.sub(r"^(\w+://)?([^/@]*@)?", "", url.strip().lower())
    return re.sub(r"^([^/:]+)(:\d+(?=/)|:)?/*", r"\1/", bare).removesuffix("/").removesuffix(".git")
