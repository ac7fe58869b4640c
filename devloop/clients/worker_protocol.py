"""What devloop and the build worker send each other, as types. The same is written in worker/internal/protocol/protocol.json, and tests
hold both sides against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from devloop.model.flux.graph import FailureKind

# Kinds that devloop itself finds; the worker has no such failure.
OWN_KINDS = frozenset({FailureKind.FETCH})

DecryptionProblem = Literal["format", "key", "mac", "service"]
LintCode = Literal["duplicate", "ignored"]
PolicyOutcome = Literal["changed", "invalid", "missing", "skipped", "unbound", "violated"]
SchemaCode = Literal["deprecated", "duplicate", "missing", "quantity", "removed", "type", "unknown", "unknown-kind", "value"]
SecretState = Literal["opened", "sealed"]


class OpenRequest(TypedDict):
    """A session with a repository and Age identities (the text of key files)."""

    root: str
    scratch: str
    identities: str
    showSecrets: NotRequired[bool]
    store: NotRequired[str]


class BuildRequest(TypedDict):
    """One Kustomization: by its name when an earlier build of the scope rendered it, else as an object."""

    scope: str
    base: str
    namespace: str
    name: str
    object: NotRequired[Mapping[str, Any]]
    lenient: NotRequired[bool]
    artifact: NotRequired[Artifact]
    remotes: NotRequired[Mapping[str, Fetched]]


class Fetched(TypedDict):
    """Where a remote base was fetched to."""

    folder: str
    path: str


class Artifact(TypedDict):
    """One artifact of an ArtifactGenerator."""

    name: str
    origin: str
    sources: Mapping[str, str]
    copy: Sequence[CopyOperation]


# A CopyOperation of an ArtifactGenerator.
CopyOperation = TypedDict(
    "CopyOperation",
    {"from": str, "to": str, "exclude": NotRequired[Sequence[str]], "strategy": NotRequired[str], "optional": NotRequired[bool]},
)


class ReleasesRequest(TypedDict):
    """The HelmReleases of one Kustomization, in this order."""

    scope: str
    namespace: str
    name: str
    version: str
    apis: Sequence[str]
    releases: Sequence[ReleaseRequest]


class ReleaseRequest(TypedDict):
    """A HelmRelease that a build of the scope rendered."""

    namespace: str
    name: str
    base: str
    artifact: NotRequired[Artifact]


class DecryptionRequest(TypedDict):
    """Whether each of the encrypted files can be decrypted."""

    paths: Sequence[str]


class LocateRequest(TypedDict):
    """The line of each place."""

    places: Sequence[Place]


class Place(TypedDict):
    """A field of an object in a file, or a text in it; with `built`, the answer says what set the field."""

    path: str
    kind: NotRequired[str]
    name: NotRequired[str]
    field: NotRequired[Sequence[Any]]
    text: NotRequired[str]
    built: NotRequired[ScopedReference]


class ScopedReference(TypedDict):
    """A rendered object of a scope."""

    scope: str
    owner: str
    index: int


class LintRequest(TypedDict):
    """What kustomize ignores in these kustomization files."""

    paths: Sequence[str]


class SchemaRequest(TypedDict):
    """What the schemas in a folder do not allow."""

    scope: str
    schemas: str
    minor: int


class PreloadRequest(TypedDict):
    """Read the schemas ahead of a SchemaRequest."""

    schemas: str


class PolicyRequest(TypedDict):
    """What policies say of the objects of a scope."""

    scope: str
    version: str
    rules: Sequence[PolicyRule]


class PolicyRule(TypedDict):
    """A PolicyRule of the repository."""

    type: str
    severity: str
    targets: Sequence[RuleTarget]
    constraints: Sequence[RuleConstraint]


class RuleTarget(TypedDict):
    """The objects that a rule is for; an empty list selects all."""

    apiGroups: NotRequired[Sequence[str]]
    apiVersions: NotRequired[Sequence[str]]
    kinds: NotRequired[Sequence[str]]
    names: NotRequired[Sequence[str]]
    namespaces: NotRequired[Sequence[str]]
    labels: NotRequired[Mapping[str, str]]
    layers: NotRequired[Sequence[str]]


class RuleConstraint(TypedDict):
    """A CEL expression with its messages."""

    expression: str
    message: NotRequired[str]
    messageExpression: NotRequired[str]
    variables: Sequence[RuleVariable]


class RuleVariable(TypedDict):
    """A variable of a constraint."""

    name: str
    expression: str


class BuildResult(TypedDict):
    """What a Kustomization or a HelmRelease rendered; `remote` are the remote bases that were not fetched."""

    directory: str
    objects: Sequence[BuiltObject]
    files: Sequence[str]
    encrypted: Sequence[str]
    remote: NotRequired[Sequence[RemoteName]]
    failure: NotRequired[Failure]


class BuiltObject(TypedDict):
    """One object as Flux would apply it; `unknown` are JSON pointers."""

    body: Mapping[str, Any]
    origin: str
    line: NotRequired[int]
    secret: NotRequired[SecretState]
    unknown: NotRequired[Sequence[str]]


class RemoteName(TypedDict):
    """What a kustomization file takes from elsewhere, and the file and line that name it."""

    name: str
    shown: str
    repo: NotRequired[str]
    ref: NotRequired[str]
    inside: NotRequired[str]
    path: NotRequired[str]
    line: NotRequired[int]


class DecryptionResult(TypedDict):
    """Whether a file can be decrypted; without a `reason` it can."""

    path: str
    recipients: Sequence[str]
    services: NotRequired[Sequence[str]]
    reason: NotRequired[DecryptionProblem]
    message: NotRequired[str]


class Location(TypedDict):
    """The line of a place, 0 where it was not found, and what set the field."""

    line: int
    setter: NotRequired[FieldSource]


class FieldSource(TypedDict):
    """What set a field after it left the object's own file."""

    path: str
    line: int
    what: str


class LintFinding(TypedDict):
    """Something that kustomize ignores."""

    code: LintCode
    path: str
    line: int
    message: str
    hint: NotRequired[str]


class SchemaResult(TypedDict):
    """What is wrong with one object."""

    owner: str
    index: int
    violations: Sequence[SchemaError]


class SchemaError(TypedDict):
    """One thing that the API server would refuse; `field` are steps as in Place."""

    code: SchemaCode
    field: Sequence[Any]
    message: str
    hint: NotRequired[str]
    assumed: NotRequired[bool]


class PolicyResult(TypedDict):
    """One outcome of a policy; `line` and `column` count from 1 in the `expression`."""

    outcome: PolicyOutcome
    policy: ObjectReference
    field: NotRequired[Sequence[Any]]
    object: NotRequired[ObjectReference]
    severity: NotRequired[str]
    message: str
    line: NotRequired[int]
    column: NotRequired[int]
    expression: NotRequired[str]


class ObjectReference(TypedDict):
    """A rendered object, or, without an owner, a PolicyRule of the request."""

    owner: NotRequired[str]
    index: int


class Failure(TypedDict):
    """An error in plain words."""

    kind: FailureKind
    message: str
    hint: NotRequired[str]
    path: NotRequired[str]
    line: NotRequired[int]
    object: NotRequired[str]
    variable: NotRequired[str]


class Request(TypedDict, total=False):
    """A request without its id: exactly one of these."""

    open: OpenRequest
    build: BuildRequest
    releases: ReleasesRequest
    decryption: DecryptionRequest
    locate: LocateRequest
    policies: PolicyRequest
    schemas: SchemaRequest
    lint: LintRequest
    preload: PreloadRequest


class Answer(TypedDict):
    """The answer to the request with the same id: a result or a failure. `result` is left out where it is empty."""

    id: NotRequired[int]
    result: NotRequired[Any]
    failure: NotRequired[Failure]


# What `result` is, by the kind of the request; None where there is none.
RESULTS: Mapping[str, Any] = {
    "open": None,
    "build": BuildResult,
    "releases": Sequence[BuildResult],
    "decryption": Sequence[DecryptionResult],
    "locate": Sequence[Location],
    "policies": Sequence[PolicyResult],
    "schemas": Sequence[SchemaResult],
    "lint": Sequence[LintFinding],
    "preload": None,
}
