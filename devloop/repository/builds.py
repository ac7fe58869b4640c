"""Opens the build worker; its requests and answers as values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devloop.clients import worker_protocol as protocol
from devloop.clients.worker import Worker
from devloop.clients.xdg import renderings_folder
from devloop.model.flux.graph import Failure, FailureKind, Graph
from devloop.model.flux.names import ROOT
from devloop.model.kubernetes.manifest import Manifest, Origin
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.report import Emit
from devloop.repository.file_index import absent_paths, ignored_paths
from devloop.toolchain import Toolchain

# Failures that need not occur in a cluster.
UNKNOWABLE = (FailureKind.REMOTE, FailureKind.UNKNOWN)


@dataclass(frozen=True)
class Build:
    """One Kustomization to build in the scope of an environment; `body` for one that no build rendered.

    `artifact` describes the artifact that its path is relative to, see Sources.artifact; `settings` are those of its source, see
    Sources.settings; `remotes` are the folders of fetched bases. `lenient`: a variable without a value is empty.
    """

    id: ObjectId
    body: Mapping[str, Any] | None = None
    artifact: protocol.Artifact | None = None
    settings: protocol.SourceSettings | None = None
    remotes: Mapping[str, protocol.Fetched] | None = None
    lenient: bool = False

    def question(self, scope: str, base: str) -> protocol.Request:
        request: protocol.BuildRequest = {"scope": scope, "base": base, "namespace": self.id.namespace, "name": self.id.name}
        if self.body:
            request["object"] = self.body
        if self.lenient:
            request["lenient"] = True
        if self.settings:
            request["settings"] = self.settings
        if self.artifact:
            request["artifact"] = self.artifact
        if self.remotes:
            request["remotes"] = self.remotes
        return {"build": request}


@dataclass(frozen=True)
class Rendering:
    """The result of a build; all paths are relative to the repository root."""

    directory: str = ""
    manifests: tuple[Manifest, ...] = ()
    files: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    failure: Failure | None = None
    fingerprint: str = field(default="", compare=False)


def scope(environment: str, base: str, root: ObjectId = ROOT, *, strict: bool = True) -> str:
    """The worker's name for the renderings of `environment` with paths relative to `base`, from the Kustomization `root`."""
    return f"{environment} from {base}" + ("" if root == ROOT else f" by {root}") + ("" if strict else " leniently")


def scope_of(graph: Graph) -> str:
    return scope(graph.environment, graph.source_directory, graph.root.kustomization.id, strict=graph.setup.is_strict)


def read_answer(answer: protocol.Answer) -> Rendering:
    if "failure" in answer:
        return Rendering(failure=read_failure(answer["failure"]))
    result: protocol.BuildResult = answer["result"]
    failure = result.get("failure")
    return Rendering(
        directory=result["directory"],
        manifests=tuple(map(_manifest, result["objects"])),
        files=tuple(result["files"]),
        encrypted=tuple(result["encrypted"]),
        remote=tuple(name["shown"] for name in remote_names(answer)),
        failure=read_failure(failure) if failure else None,
        fingerprint=result.get("fingerprint", ""),
    )


def read_failure(failure: protocol.Failure) -> Failure:
    return Failure(
        FailureKind(failure["kind"]),
        failure["message"],
        failure.get("hint", ""),
        failure.get("path", ""),
        failure.get("line", 0),
        failure.get("object", ""),
        failure.get("variable", ""),
        tuple(failure.get("field") or ()),
    )


def remote_names(answer: protocol.Answer) -> Sequence[protocol.RemoteName]:
    """The remote bases that the build skipped."""
    result: protocol.BuildResult | None = answer.get("result")
    return (result.get("remote") or ()) if result else ()


def _manifest(built: protocol.BuiltObject) -> Manifest:
    return Manifest(
        built["body"], Origin(built["origin"], built.get("line", 0)), built.get("secret", ""), tuple(built.get("unknown") or ())
    )


def open_worker(root: Path, keys: Callable[[], str], emit: Emit, *, show_secrets: bool = False) -> Worker:
    """A worker for the repository at `root`, installed if missing; `keys` returns the text of the Age identities."""
    toolchain = Toolchain()
    if toolchain.ensure(("worker",), emit):
        toolchain.end_builds()
    return Worker(
        toolchain.path("worker"),
        root,
        keys,
        show_secrets=show_secrets,
        store=renderings_folder(),
        ignored=ignored_paths,
        absent=absent_paths,
    )
