"""The Kustomizations of one environment, found by building parents first, and what each of them renders. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from devloop.hint import Hint
from devloop.model.flux.kustomization import Kustomization, SourceRef
from devloop.model.flux.names import CONTROLLERS, HELM_RELEASE, REQUIRED_CONTROLLERS
from devloop.model.kubernetes.manifest import Manifest, Origin, images_in
from devloop.model.kubernetes.objects import ObjectId

# What a repository that Flux was bootstrapped into says of its own root Kustomization, and what then holds for the entry path.
SELF_FIELDS = ("postBuild", "components", "commonMetadata", "targetNamespace", "patches", "decryption")


class NodeState(StrEnum):
    BUILT = "built"
    FAILED = "failed"
    FOREIGN = "foreign"  # comes from another source: not checked here
    UNKNOWN = "unknown"  # hangs on a remote base or on a variable that only a cluster knows: not checked here


@dataclass(frozen=True)
class Failure:
    """Why a Kustomization does not build, in plain words.

    `kind` is missing (its path), yaml, duplicate (a key), build, undefined (a variable), substitution, decryption, outside (of the
    source), remote, unknown or crash. `path` is relative to the repository root; `object` is the rendered object that it is about,
    `variable` the one that is not defined.
    """

    kind: str
    message: str
    hint: Hint = ""
    path: str = ""
    line: int = 0
    object: str = ""
    variable: str = ""


@dataclass(frozen=True)
class Release:
    """A HelmRelease that a Kustomization renders, and what became of it: `chart` is the chart's folder, relative to the repository root.

    FOREIGN means that its chart is not available here. `objects` counts what it renders; those are among the node's manifests.
    """

    id: ObjectId
    state: NodeState
    chart: str = ""
    objects: int = 0
    failure: Failure | None = None


@dataclass(frozen=True)
class Node:
    """One Kustomization: where it was defined, what it renders, which files its build read (relative to the repository root).

    `directory` is its path resolved to the repository root. `encrypted` are the files among `files` that SOPS encrypted. `remote` are
    bases that a build in the cluster would fetch and that were left out here. `others` render the same Kustomization as `parent` does.
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
    others: tuple[ObjectId, ...] = ()
    releases: tuple[Release, ...] = ()


@dataclass(frozen=True)
class Graph:
    """All Kustomizations of one environment; the first node is the root that stands for the entry path.

    `source_directory` is what paths count from: '.' (the repository's root) or the definition's source directory, whichever makes the
    referenced paths exist. `own_sources` are the sourceRefs that stand for this repository itself.
    """

    environment: str
    source_directory: str
    entry_path: str
    nodes: tuple[Node, ...] = ()
    own_sources: frozenset[SourceRef] = frozenset()
    by_id: Mapping[ObjectId, Node] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {node.kustomization.id: node for node in self.nodes})

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    @property
    def root(self) -> Node:
        return self.nodes[0]

    @property
    def encrypted(self) -> tuple[str, ...]:
        """Every encrypted file that the environment reaches, sorted, once."""
        return tuple(sorted({path for node in self.nodes for path in node.encrypted}))

    def children(self, parent: ObjectId) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.parent == parent)

    @property
    def controllers(self) -> tuple[str, ...]:
        """The Flux controllers that the environment needs."""
        return CONTROLLERS if HELM_RELEASE in self.kinds() else REQUIRED_CONTROLLERS

    @property
    def images(self) -> tuple[str, ...]:
        """Every image that a rendered object names for a container, sorted, once."""
        return tuple(sorted({image for node in self.nodes for m in node.manifests for image in images_in(m.body.get("spec"))}))

    def kinds(self) -> frozenset[str]:
        """Every kind that the environment renders."""
        return frozenset(manifest.kind for node in self.nodes for manifest in node.manifests)
