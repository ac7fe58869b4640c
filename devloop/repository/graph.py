"""Builds the graph of an environment's Kustomizations as Flux does: the entry path, then the Kustomizations in it, and so on."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import NoneType
from typing import TYPE_CHECKING, Any

from devloop.clients import worker_protocol as protocol
from devloop.clients.worker import Worker
from devloop.model.cluster.environment import Environment
from devloop.model.flux.graph import SELF_FIELDS, Failure, FailureKind, Graph, Node, NodeState
from devloop.model.flux.kustomization import Kustomization, is_kustomization, parse_kustomization
from devloop.model.flux.names import GIT_REPOSITORY, KUSTOMIZATION, KUSTOMIZE_GROUP, ROOT, SOURCES
from devloop.model.flux.setup import FluxSetup, read_setup
from devloop.model.kubernetes.manifest import Manifest, Origin
from devloop.model.kubernetes.objects import ObjectId
from devloop.repository.builds import UNKNOWABLE, Build, Rendering, scope
from devloop.repository.entry_points.flux_files import documents
from devloop.repository.helm_releases import render_releases
from devloop.repository.input_files import read_input
from devloop.repository.moments import now
from devloop.repository.remote_bases import build_all
from devloop.repository.sources import Sources

if TYPE_CHECKING:
    from devloop.clients.remote_fetch import Fetcher


def build_graph(environment: Environment, worker: Worker, *, remotes: Collection[str] = (), fetcher: Fetcher | None = None) -> Graph:
    """All Kustomizations reachable from the entry path, built; `remotes` are the URLs of the repository's Git remotes.

    Paths are relative to the repository's root, or to the definition's source directory if more of them exist there. Remote bases are
    skipped without a `fetcher`. Failures and missing sources are nodes too; only a broken worker raises.
    """
    read_at = now()
    from_root = _build_from(environment, worker, ".", remotes, fetcher)
    directory = posixpath.normpath(environment.definition.source_directory)
    if directory == "." or _reached(from_root) == len(from_root.nodes):
        return replace(from_root, read_at=read_at)
    below = _build_from(environment, worker, directory, remotes, fetcher)
    return replace(below if _reached(below) > _reached(from_root) else from_root, read_at=read_at)


def _build_from(environment: Environment, worker: Worker, base: str, remotes: Collection[str], fetcher: Fetcher | None) -> Graph:
    """With paths relative to `base`; again where only the built objects say how Flux is set up."""
    told = _entry_objects(environment)
    built = _GraphBuilder(environment, worker, base, remotes, fetcher, told).run()
    found = read_setup([*told, *(manifest.body for node in built for manifest in node.manifests)])
    if found.is_strict == built.setup.is_strict:
        return replace(built, setup=found)
    return _GraphBuilder(environment, worker, base, remotes, fetcher, told, found).run()


def _entry_objects(environment: Environment) -> list[Mapping[str, Any]]:
    """The objects in the file that tells of an environment without a definition."""
    file = environment.root / environment.definition.path
    if environment.definition.generation or not file.is_file():
        return []
    return [document for document in documents(read_input(file, environment.definition.path)) if isinstance(document, dict)]


def _reached(graph: Graph) -> int:
    """The number of Kustomizations whose folder exists."""
    return sum(
        node.state is not NodeState.FOREIGN and (node.failure is None or node.failure.kind is not FailureKind.MISSING) for node in graph
    )


@dataclass(frozen=True)
class _PartialGraph:
    """A rendered Kustomization that is not built yet."""

    kustomization: Kustomization
    parent: ObjectId
    origin: Origin
    others: tuple[ObjectId, ...] = ()

    @property
    def id(self) -> ObjectId:
        return self.kustomization.id

    def node(self, state: NodeState, rendering: Rendering) -> Node:
        return Node(self.kustomization, state, self.parent, self.origin, **vars(rendering), others=self.others)


@dataclass
class _GraphBuilder:
    """Builds in rounds: each builds what it can in parallel, and reads the results in a fixed order.

    `told` are objects outside the entry that say how Flux is set up; with `known_setup` nothing needs to say it.
    """

    environment: Environment
    worker: Worker
    base: str
    remotes: Collection[str]
    fetcher: Fetcher | None
    told: Sequence[Mapping[str, Any]]
    known_setup: FluxSetup | None = None
    setup: FluxSetup = field(init=False)
    nodes: dict[ObjectId, Node] = field(default_factory=dict)
    waiting: dict[ObjectId, _PartialGraph] = field(default_factory=dict)
    rendered: set[tuple[str, ObjectId]] = field(default_factory=set)
    root_id: ObjectId = ROOT

    def run(self) -> Graph:
        self.sources = Sources(self.environment.root, self.base, self.remotes)
        self.setup = self.known_setup or read_setup(self.told)
        self._build_root()
        while self.waiting:
            self._remove_foreign()
            self._build(self._next())
        version = self.environment.definition.kubernetes_version
        nodes = render_releases(tuple(self.nodes.values()), self.worker, self._scope, self.base, self.sources, version)
        return Graph(self.environment.name, self.base, self.environment.entry_path, nodes, frozenset(self.sources.own), self.setup)

    def _build_root(self) -> None:
        path = "./" + posixpath.relpath(self.environment.entry_path, self.base)
        spec: dict[str, Any] = {"path": path, "sourceRef": {"kind": GIT_REPOSITORY, "name": ROOT.name}, "decryption": {"provider": "sops"}}
        metadata = {"namespace": ROOT.namespace, "name": ROOT.name}
        body = {"apiVersion": f"{KUSTOMIZE_GROUP}/v1", "kind": KUSTOMIZATION, "metadata": metadata, "spec": spec}
        [rendering] = self._render([Build(ROOT, body)])
        settings: protocol.SourceSettings | None = None
        earlier: Rendering | None = None
        origin = Origin()
        # The Kustomization that applies itself changes itself and its source, until nothing changes any more.
        for _ in range(_MOST_ROUNDS):
            if not rendering.manifests:
                break
            for manifest in rendering.manifests:
                self.sources.add(manifest)
            strict = self.setup.is_strict
            self.setup = self.known_setup or read_setup([*self.told, *(manifest.body for manifest in rendering.manifests)])
            own = next(filter(self._is_root, rendering.manifests), None)
            applied = _applying_itself(body, own) if own else body
            before, settings = settings, self.sources.settings(parse_kustomization(body).source)
            same = (applied, settings, self.setup.is_strict) == (body, before, strict)
            if same and (rendering == earlier or not _variable_sources(parse_kustomization(body))):
                break
            earlier, body = rendering, applied
            if own:
                self.root_id, origin = own.id, own.origin
            [rendering] = self._render([Build(self.root_id, body, settings=settings, lenient=not self.setup.is_strict)])
        self._add(Node(parse_kustomization(body), _state(rendering), origin=origin, **vars(rendering)))

    def _is_root(self, manifest: Manifest) -> bool:
        """By the name that `flux bootstrap` and KSail give it, or by the path that it applies."""
        if not is_kustomization(manifest.body) or _well_formed(manifest.body)[1]:
            return False
        found = parse_kustomization(manifest.body)
        entry = "/" + posixpath.relpath(self.environment.entry_path, self.base)
        applies_entry = posixpath.normpath(f"/{found.path}") == posixpath.normpath(entry)
        return found.id == ROOT or (applies_entry and found.source.kind in SOURCES and self.sources.is_own(found) is not False)

    def _build(self, batch: list[_PartialGraph]) -> None:
        lenient = not self.setup.is_strict
        builds = [
            Build(found.id, artifact=self.sources.artifact(source), settings=self.sources.settings(source), lenient=lenient)
            for found in batch
            for source in (found.kustomization.source,)
        ]
        for found, rendering in zip(batch, self._render(builds), strict=True):
            # An earlier result of this batch may have added another parent to the waiting one.
            self._add(self.waiting.pop(found.id).node(_state(rendering), rendering))

    def _render(self, builds: list[Build]) -> list[Rendering]:
        return build_all(self.worker, self._scope, self.base, builds, self.fetcher)

    @property
    def _scope(self) -> str:
        return scope(self.environment.name, self.base, self.root_id, strict=self.setup.is_strict)

    def _add(self, node: Node) -> None:
        self.nodes[node.kustomization.id] = node
        for manifest in node.manifests:
            self.rendered.add((manifest.kind, manifest.id))
            self.sources.add(manifest)
        for manifest in node.manifests:
            if is_kustomization(manifest.body):
                self._discover(manifest, node.kustomization.id)

    def _discover(self, manifest: Manifest, parent: ObjectId) -> None:
        body, problem = _well_formed(manifest.body)
        found = _PartialGraph(parse_kustomization(body), parent, manifest.origin)
        if found.id in (parent, self.root_id):
            return
        if problem:
            self.nodes[found.id] = found.node(NodeState.FAILED, Rendering(failure=Failure(FailureKind.BUILD, problem)))
        elif known := self.nodes.get(found.id):
            self.nodes[found.id] = replace(known, others=(*known.others, parent))
        elif waits := self.waiting.get(found.id):
            self.waiting[found.id] = replace(waits, others=(*waits.others, parent))
        else:
            self.waiting[found.id] = found

    def _remove_foreign(self) -> None:
        for found in list(self.waiting.values()):
            if self.sources.is_own(found.kustomization) is False:
                del self.waiting[found.id]
                self.nodes[found.id] = found.node(NodeState.FOREIGN, Rendering())

    def _next(self) -> list[_PartialGraph]:
        """All whose variables are known; else those without waiting dependencies, although some of their variables stay unknown."""
        own = [found for found in self.waiting.values() if self.sources.is_own(found.kustomization)]
        if ready := [found for found in own if self.rendered.issuperset(_variable_sources(found.kustomization))]:
            return ready
        if len(own) < len(self.waiting):
            self.sources.decide(f.kustomization for f in self.waiting.values() if self.sources.is_own(f.kustomization) is None)
            return []
        return [found for found in own if self.waiting.keys().isdisjoint(found.kustomization.depends_on)] or own


def _applying_itself(body: Mapping[str, Any], own: Manifest) -> dict[str, Any]:
    """The Kustomization of the entry path with what the repository's own definition of it says."""
    fields = {key: own.body["spec"][key] for key in SELF_FIELDS if key in own.body["spec"]}
    return {**body, "metadata": {"namespace": own.id.namespace, "name": own.id.name}, "spec": {**body["spec"], **fields}}


def _state(rendering: Rendering) -> NodeState:
    if not rendering.failure:
        return NodeState.BUILT
    return NodeState.UNKNOWN if rendering.failure.kind in UNKNOWABLE else NodeState.FAILED


def _variable_sources(kustomization: Kustomization) -> set[tuple[str, ObjectId]]:
    """The ConfigMaps and Secrets of the Kustomization's substituteFrom."""
    references = (kustomization.spec.get("postBuild") or {}).get("substituteFrom") or ()
    return {(str(ref.get("kind")), ObjectId(kustomization.id.namespace, str(ref.get("name")))) for ref in references}


# A Kustomization that still changes itself after so many rounds never stops.
_MOST_ROUNDS = 5

# Types that the API server enforces and this module relies on; lists hold mappings.
_SHAPES: Mapping[str, type] = {
    "metadata.name": str,
    "metadata.namespace": str,
    "spec.path": str,
    "spec.sourceRef": dict,
    "spec.dependsOn": list,
    "spec.postBuild": dict,
    "spec.postBuild.substituteFrom": list,
    "spec.decryption": dict,
}


def _well_formed(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The Kustomization, with an empty spec if that is malformed, and what is wrong with it."""
    spec = body.get("spec")
    if not isinstance(spec, dict):
        return {**body, "spec": {}}, "it has no spec"
    names: Mapping[type, str] = {str: "a string", dict: "a mapping", list: "a list of mappings"}
    for name, shape in _SHAPES.items():
        value: Any = body
        for key in name.split("."):
            value = (value or {}).get(key)
        items = value if isinstance(value, list) else ()
        if not isinstance(value, (shape, NoneType)) or not all(isinstance(item, dict) for item in items):
            return {**body, "spec": {}}, f"{name} must be {names[shape]}"
    if not (spec.get("sourceRef") or {}).get("name"):
        return body, "spec.sourceRef.name is missing"
    return body, ""
