"""What the build worker is asked to build and what it answers, as values. Between our words and the worker's protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devloop.clients.worker import Answer, Request
from devloop.model.flux.graph import Failure
from devloop.model.kubernetes.manifest import Manifest, Origin
from devloop.model.kubernetes.objects import ObjectId

_UNDEFINED = re.compile(r"the variable (\S+) is not defined")

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


def read_answer(answer: Answer) -> Rendering:
    """What the worker says of one build."""
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
    """The variable of an `undefined` failure, which the protocol has in the message alone."""
    found = _UNDEFINED.search(failure["message"]) if failure["kind"] == "undefined" else None
    return found[1] if found else ""


def remote_names(answer: Answer) -> Sequence[Mapping[str, Any]]:
    """What the build left out, see remotes.go."""
    names: Sequence[Mapping[str, Any]] = answer.get("result", {}).get("remote") or ()
    return names


def _manifest(built: Mapping[str, Any]) -> Manifest:
    return Manifest(
        built["body"], Origin(built["origin"], built.get("line", 0)), built.get("secret", ""), tuple(built.get("unknown") or ())
    )
