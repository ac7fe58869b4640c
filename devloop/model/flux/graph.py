"""The Kustomizations of one environment and what they render. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from devloop.hint import Hint
from devloop.model.flux.kustomization import Kustomization, SourceRef
from devloop.model.flux.names import CONTROLLERS, HELM_RELEASE, REQUIRED_CONTROLLERS, ROOT
from devloop.model.flux.setup import FluxSetup
from devloop.model.kubernetes.manifest import Manifest, Origin, images_in
from devloop.model.kubernetes.objects import ObjectId

# Fields of a bootstrapped repository's root Kustomization that apply to the entry path too.
SELF_FIELDS = ("postBuild", "components", "commonMetadata", "targetNamespace", "patches", "decryption")


class Moment(NamedTuple):
    """Seconds since 1970, and of a clock that nobody sets."""

    wall: float
    steady: float


class NodeState(StrEnum):
    BUILT = "built"
    FAILED = "failed"
    FOREIGN = "foreign"  # from another source: not checked
    UNKNOWN = "unknown"  # depends on a remote base or on a variable that only a cluster has: not checked


class FailureKind(StrEnum):
    """Those of the worker, see worker/internal/protocol/failure.go, and FETCH."""

    BUILD = "build"
    CRASH = "crash"
    DECRYPTION = "decryption"
    DUPLICATE = "duplicate"
    FETCH = "fetch"  # a remote base cannot be fetched
    MISSING = "missing"
    OUTSIDE = "outside"
    REMOTE = "remote"
    SUBSTITUTION = "substitution"
    UNDEFINED = "undefined"
    UNKNOWN = "unknown"
    YAML = "yaml"


@dataclass(frozen=True)
class Failure:
    """Why a Kustomization does not build.

    `path` is relative to the repository root; `object` is the rendered object concerned, `variable` the undefined one, `field` a field of
    the HelmRelease that does not render.
    """

    kind: FailureKind
    message: str
    hint: Hint = ""
    path: str = ""
    line: int = 0
    object: str = ""
    variable: str = ""
    field: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Release:
    """A HelmRelease of a Kustomization; `chart` is the chart's folder, relative to the repository root.

    FOREIGN means that its chart is not available. `objects` counts what it renders; they are among the node's manifests. `dropped` are
    objects that Helm leaves out without an error.
    """

    id: ObjectId
    state: NodeState
    chart: str = ""
    objects: int = 0
    failure: Failure | None = None
    dropped: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Node:
    """One Kustomization and what it renders; `files` are those that its build read, `encrypted` those of them that SOPS encrypted.

    `directory` is its path; all are relative to the repository root. `remote` are bases that were not fetched. `others` render the same
    Kustomization as `parent` does. `fingerprint` changes with everything that the build depends on; '' where that cannot be told.
    """

    kustomization: Kustomization
    state: NodeState
    parent: ObjectId | None = None
    origin: Origin = Origin()
    directory: str = ""
    manifests: tuple[Manifest, ...] = ()
    files: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    failure: Failure | None = None
    fingerprint: str = ""
    others: tuple[ObjectId, ...] = ()
    releases: tuple[Release, ...] = ()


@dataclass(frozen=True)
class Graph:
    """All Kustomizations of one environment; the first node is the root, for the entry path.

    Paths are relative to `source_directory`: '.' (the repository root) or the definition's source directory, whichever makes the
    referenced paths exist. `own_sources` are the sourceRefs of this repository itself, `setup` is how it runs Flux, `read_at` is when its
    files began to be read.
    """

    environment: str
    source_directory: str
    entry_path: str
    nodes: tuple[Node, ...] = ()
    own_sources: frozenset[SourceRef] = frozenset()
    setup: FluxSetup = FluxSetup()
    read_at: Moment | None = field(default=None, compare=False)
    by_id: Mapping[ObjectId, Node] = field(init=False, repr=False, compare=False, default_factory=dict)
    by_parent: Mapping[ObjectId | None, tuple[Node, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {node.kustomization.id: node for node in self.nodes})
        by_parent: dict[ObjectId | None, list[Node]] = {}
        for node in self.nodes:
            by_parent.setdefault(node.parent, []).append(node)
        object.__setattr__(self, "by_parent", {parent: tuple(nodes) for parent, nodes in by_parent.items()})

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    @property
    def root(self) -> Node:
        return self.nodes[0]

    @property
    def encrypted(self) -> tuple[str, ...]:
        """Every encrypted file of the environment, sorted, once."""
        return tuple(sorted({path for node in self.nodes for path in node.encrypted}))

    def children(self, parent: ObjectId) -> tuple[Node, ...]:
        return self.by_parent.get(parent, ())

    @property
    def own_git_repositories(self) -> tuple[ObjectId, ...]:
        """The GitRepositories that the repository's Kustomizations have as their source, where devloop runs them."""
        return tuple(sorted({ROOT} | {ObjectId(ref.namespace, ref.name) for ref in self.own_sources}))

    @property
    def controllers(self) -> tuple[str, ...]:
        """The Flux controllers that the environment needs."""
        return CONTROLLERS if HELM_RELEASE in self.kinds() else REQUIRED_CONTROLLERS

    @property
    def images(self) -> tuple[str, ...]:
        """Every image of a rendered container, sorted, once."""
        return tuple(sorted({image for node in self.nodes for m in node.manifests for image in images_in(m.body.get("spec"))}))

    def kinds(self) -> frozenset[str]:
        """Every kind that the environment renders."""
        return frozenset(manifest.kind for node in self.nodes for manifest in node.manifests)
