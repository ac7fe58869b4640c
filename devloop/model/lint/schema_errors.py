"""What the API server would refuse of a rendered object, as the build worker judged it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.model.flux.kustomization import ObjectId
from devloop.model.lint.location import Step


@dataclass(frozen=True)
class SchemaError:
    """One thing that the schema of an object's kind does not allow, in plain words and without a Secret's values.

    `code` is unknown, type, missing, value, quantity, duplicate, removed, deprecated or unknown-kind; `field` counts from the object's top.
    `assumed` where the definition is not the environment's own: of the Flux that devloop runs.
    """

    code: str
    field: tuple[Step, ...]
    message: str
    hint: str = ""
    assumed: bool = False


@dataclass(frozen=True)
class ObjectSchemaErrors:
    """The violations of the object that is number `index` among the manifests of a Kustomization of an environment."""

    environment: str
    kustomization: ObjectId
    index: int
    violations: tuple[SchemaError, ...]


@dataclass(frozen=True)
class KustomizationFileIssue:
    """What kustomize passes over in a file without a word: `code` is duplicate (of two keys the last counts) or ignored (no such field)."""

    code: str
    path: str
    line: int
    message: str
    hint: str = ""
