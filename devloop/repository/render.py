"""What the build worker makes of Kustomizations, as values. Everything between our words and the worker's protocol is here."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop.clients.worker import Answer, Request, Worker
from devloop.clients.xdg import remote_folder, renderings_folder
from devloop.model.flux.graph import Failure
from devloop.model.flux.kustomization import ObjectId
from devloop.model.kubernetes.manifest import Manifest, Origin
from devloop.model.report import Emit
from devloop.toolchain import Toolchain

if TYPE_CHECKING:
    from devloop.clients.remote_fetch import Fetcher

# Failures that are none: it may be fine in a cluster, only nobody can tell from here.
UNKNOWABLE = ("remote", "unknown")


@dataclass(frozen=True)
class Build:
    """One Kustomization to build in a scope (what one environment renders); `body` for one that no build rendered.

    `artifact` says how to make the artifact that its path counts from, see Sources.artifact; `remotes` where what is remote lies now.
    """

    id: ObjectId
    body: Mapping[str, Any] | None = None
    artifact: Mapping[str, Any] | None = None
    remotes: Mapping[str, Any] | None = None

    def question(self, scope: str, base: str) -> Request:
        named = {"scope": scope, "base": base, "namespace": self.id.namespace, "name": self.id.name}
        optional = {"object": self.body, "artifact": self.artifact, "remotes": self.remotes}
        return {"build": named | {key: value for key, value in optional.items() if value}}


@dataclass(frozen=True)
class Rendering:
    """What came of it; all paths are relative to the repository root."""

    directory: str = ""
    manifests: tuple[Manifest, ...] = ()
    files: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    failure: Failure | None = None


def scope(environment: str, base: str) -> str:
    """The worker's name for what `environment` renders when paths count from `base`."""
    return f"{environment} from {base}"


def open_worker(root: Path, keys: Callable[[], str], emit: Emit, *, show_secrets: bool = False) -> Worker:
    """A worker for the repository at `root`, installed first where it is missing; `keys` gives the text of the Age identities."""
    toolchain = Toolchain()
    toolchain.ensure(("worker",), emit)
    return Worker(toolchain.path("worker"), root, keys, show_secrets=show_secrets, store=renderings_folder())


@contextlib.contextmanager
def open_fetcher(*, allowed: bool, stop: threading.Event | None = None) -> Iterator[Fetcher | None]:
    """What gets remote bases, None where that is not `allowed`; `stop` ends it."""
    if not allowed:
        yield None
        return
    from devloop.clients.remote_fetch import Fetcher

    with contextlib.closing(Fetcher(remote_folder(), stop)) as fetcher:
        yield fetcher


def render(worker: Worker, scope: str, base: str, builds: Sequence[Build], fetcher: Fetcher | None = None) -> list[Rendering]:
    """Build side by side; `base` is the folder that paths count from. The renderings come in the order of `builds`.

    What is remote is left out, or got by `fetcher`.
    """
    answers = worker.ask_all([build.question(scope, base) for build in builds])
    if fetcher and any(map(remote_names, answers)):
        from devloop.repository.remote_bases import resolve_remotes

        return resolve_remotes(builds, answers, lambda again: worker.ask_all([build.question(scope, base) for build in again]), fetcher)
    return [read_answer(answer) for answer in answers]


def read_answer(answer: Answer) -> Rendering:
    """What the worker says of one build."""
    if "failure" in answer:
        return Rendering(failure=Failure(**answer["failure"]))
    result = answer["result"]
    failure = result.get("failure")
    return Rendering(
        directory=result["directory"],
        manifests=tuple(map(_manifest, result["objects"])),
        files=tuple(result["files"]),
        encrypted=tuple(result["encrypted"]),
        remote=tuple(name["shown"] for name in remote_names(answer)),
        failure=Failure(**failure) if failure else None,
    )


def remote_names(answer: Answer) -> Sequence[Mapping[str, Any]]:
    """What the build left out, see remotes.go."""
    names: Sequence[Mapping[str, Any]] = answer.get("result", {}).get("remote") or ()
    return names


def _manifest(built: Mapping[str, Any]) -> Manifest:
    return Manifest(
        built["body"], Origin(built["origin"], built.get("line", 0)), built.get("secret", ""), tuple(built.get("unknown") or ())
    )
