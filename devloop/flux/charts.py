"""Charts of the repository that were edited without a new version: source-controller keeps the package that it made first.

https://fluxcd.io/flux/components/source/helmcharts/#reconcile-strategy
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from devloop.clients import private_files
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.observed import Observed
from devloop.model.flux.chart_files import changed_files
from devloop.model.flux.graph import Graph, Release
from devloop.model.flux.names import HELM_CHART, HELM_RELEASE
from devloop.model.flux.releases import chart_of, source_of_chart
from devloop.model.kubernetes.objects import Object
from devloop.model.messages import join_some

FILE = "charts.json"  # HelmChart -> a Comparison
MOST_NAMES = 3

Read = Callable[[str], bytes]  # an artifact by its URL


@dataclass(frozen=True)
class Comparison:
    """A chart of the repository and its package, both by digest; `changed` are the files that differ."""

    package: str
    files: str
    changed: tuple[str, ...] = ()
    kustomization: str = ""
    release: str = ""
    folder: str = ""
    version: str = ""

    @classmethod
    def from_json(cls, document: Any) -> Comparison:
        return cls(**{**document, "changed": tuple(document["changed"])})

    @property
    def cause(self) -> Cause:
        files = join_some(self.changed, MOST_NAMES)
        text = f"the edit of {files} in {self.folder} is not in the cluster: Flux packages a version once, and it is still {self.version}"
        path = f"{self.folder}/Chart.yaml"
        hint = f"raise version in {path}, or set spec.chart.spec.reconcileStrategy: Revision"
        ref = ObjectRef(HELM_RELEASE, *self.release.split("/", 1))
        return Cause("release/chart-unchanged", ref, text, self.kustomization, final=True, hint=hint, path=path)


def compare_charts(graph: Graph, observed: Observed, root: Path, folder: Path, read: Read) -> tuple[Cause, ...]:
    """A cause for each HelmRelease whose chart below `root` has edits that its package lacks; remembers the comparisons in `folder`."""
    known, found = _load(folder), {}
    for kustomization, release, chart in _charts(graph, observed):
        name, packaged = str(ObjectRef.of(chart)), chart["status"]["artifact"]
        files = _files(root / release.chart)
        wanted = Comparison(packaged.get("digest", ""), _digest(files))
        found[name] = known.get(name, wanted)
        if name not in known or (found[name].package, found[name].files) != (wanted.package, wanted.files):
            changed = changed_files(_without_values(files, chart), _without_values(_unpacked(read(packaged["url"])), chart))
            about = {"kustomization": kustomization, "release": str(release.id), "folder": release.chart, "version": packaged["revision"]}
            found[name] = replace(wanted, changed=changed, **about)
    if found != known:
        private_files.write_json(folder / FILE, {name: asdict(each) for name, each in found.items()})
    return tuple(each.cause for each in found.values() if each.changed)


def known_differences(observed: Observed, folder: Path) -> tuple[Cause, ...]:
    """What the last comparison found, of charts that have not been packaged again since."""
    live = {str(ObjectRef.of(chart)): chart for chart in observed.of_kind(HELM_CHART)}
    digests = {name: ((chart.get("status") or {}).get("artifact") or {}).get("digest") for name, chart in live.items()}
    return tuple(each.cause for name, each in _load(folder).items() if each.changed and digests.get(name) == each.package)


def _load(folder: Path) -> dict[str, Comparison]:
    with contextlib.suppress(TypeError, KeyError, ValueError):
        return {name: Comparison.from_json(each) for name, each in private_files.read_json(folder / FILE).items()}
    return {}


def _charts(graph: Graph, observed: Observed) -> Iterator[tuple[str, Release, Object]]:
    """(Kustomization, release, HelmChart) of charts of the repository that are packaged once per version."""
    for node in graph:
        for release in node.releases:
            live = observed.get(ObjectRef(HELM_RELEASE, release.id.namespace, release.id.name))
            chart = chart_of(live, observed) if live and release.chart else None
            if chart and source_of_chart(chart, observed) and _is_kept(chart):
                yield str(node.kustomization.id), release, chart


def _is_kept(chart: Object) -> bool:
    artifact = (chart.get("status") or {}).get("artifact") or {}
    return "url" in artifact and (chart.get("spec") or {}).get("reconcileStrategy", "ChartVersion") == "ChartVersion"


def _without_values(files: dict[str, bytes], chart: Object) -> dict[str, bytes]:
    """With spec.valuesFiles, source-controller writes values.yaml itself."""
    merged = bool((chart.get("spec") or {}).get("valuesFiles"))
    return {name: content for name, content in files.items() if not (merged and name == "values.yaml")}


def _files(chart: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(chart.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path.relative_to(chart).as_posix(): path.read_bytes() for path in paths}


def _digest(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _unpacked(package: bytes) -> dict[str, bytes]:
    """The files of a packaged chart, relative to its only top folder."""
    with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as archive:
        members = [(member.name.partition("/")[2], archive.extractfile(member)) for member in archive if member.isfile()]
        return {name: stream.read() for name, stream in members if stream}
