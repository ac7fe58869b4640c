"""Opens the build worker; its requests and answers as values."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devloop.clients.worker import Answer, Request, Worker
from devloop.clients.xdg import renderings_folder
from devloop.model.flux.graph import Failure
from devloop.model.kubernetes.manifest import Manifest, Origin
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.report import Emit
from devloop.toolchain import Toolchain

_UNDEFINED = re.compile(r"the variable (\S+) is not defined")

# Failures that need not occur in a cluster.
UNKNOWABLE = ("remote", "unknown")


@dataclass(frozen=True)
class Build:
    """One Kustomization to build in the scope of an environment; `body` for one that no build rendered.

    `artifact` describes the artifact that its path is relative to, see Sources.artifact; `remotes` are the folders of fetched bases.
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
    """The result of a build; all paths are relative to the repository root."""

    directory: str = ""
    manifests: tuple[Manifest, ...] = ()
    files: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    failure: Failure | None = None


def scope(environment: str, base: str) -> str:
    """The worker's name for the renderings of `environment` with paths relative to `base`."""
    return f"{environment} from {base}"


def read_answer(answer: Answer) -> Rendering:
    if "failure" in answer:
        return Rendering(failure=_failure(answer["failure"]))
    result = answer["result"]
    failure = result.get("failure")
    return Rendering(
        directory=result["directory"],
        manifests=tuple(map(_manifest, result["objects"])),
        files=tuple(result["files"]),
        encrypted=tuple(result["encrypted"]),
        remote=tuple(name["shown"] for name in remote_names(answer)),
        failure=_failure(failure) if failure else None,
    )


def _failure(said: Mapping[str, Any]) -> Failure:
    return Failure(**{"variable": variable_of(said), **said})


def variable_of(failure: Mapping[str, Any]) -> str:
    """The variable of an `undefined` failure, which the protocol has only in the message."""
    found = _UNDEFINED.search(failure["message"]) if failure["kind"] == "undefined" else None
    return found[1] if found else ""


def remote_names(answer: Answer) -> Sequence[Mapping[str, Any]]:
    """The remote bases that the build skipped, see remotes.go."""
    names: Sequence[Mapping[str, Any]] = answer.get("result", {}).get("remote") or ()
    return names


def _manifest(built: Mapping[str, Any]) -> Manifest:
    return Manifest(
        built["body"], Origin(built["origin"], built.get("line", 0)), built.get("secret", ""), tuple(built.get("unknown") or ())
    )


def open_worker(root: Path, keys: Callable[[], str], emit: Emit, *, show_secrets: bool = False) -> Worker:
    """A worker for the repository at `root`, installed if missing; `keys` returns the text of the Age identities."""
    toolchain = Toolchain()
    toolchain.ensure(("worker",), emit)
    return Worker(toolchain.path("worker"), root, keys, show_secrets=show_secrets, store=renderings_folder())
