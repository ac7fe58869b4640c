"""Results of the build worker's checks of rendered objects. No I/O; rules turn them into diagnostics."""

from dataclasses import dataclass

from devloop.diagnostic import Diagnostic, FieldStep, Location
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.policy import PolicyResult


@dataclass(frozen=True)
class SchemaError:
    """One violation of the schema of an object's kind, without values of Secrets.

    `code` is unknown, type, missing, value, quantity, duplicate, removed, deprecated or unknown-kind; `field` starts at the top.
    `assumed`: the schema is that of devloop's Flux version.
    """

    code: str
    field: tuple[FieldStep, ...]
    message: str
    hint: str = ""
    assumed: bool = False


@dataclass(frozen=True)
class ObjectSchemaErrors:
    """The violations of the manifest with number `index` in a Kustomization."""

    environment: str
    kustomization: ObjectId
    index: int
    violations: tuple[SchemaError, ...]


@dataclass(frozen=True)
class UnmatchedPatch:
    """A patch whose `target` ("Deployment web") matches nothing in what a Kustomization builds, nor in any other that was built.

    `shared`: of a Kustomization's spec, which other environments may have too, with other objects.
    """

    environment: str
    kustomization: ObjectId
    location: Location
    target: str
    hint: str = ""
    shared: bool = False


@dataclass(frozen=True)
class WorkerResults:
    """One field per check of devloop/lint/checks.py."""

    policies: tuple[PolicyResult, ...] = ()
    schema: tuple[ObjectSchemaErrors, ...] = ()
    kustomization_files: tuple[Diagnostic, ...] = ()
    unmatched_patches: tuple[UnmatchedPatch, ...] = ()
