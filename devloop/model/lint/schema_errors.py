"""What the API server would refuse of a rendered object, as the build worker judged it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.diagnostic import FieldStep
from devloop.model.kubernetes.objects import ObjectId


@dataclass(frozen=True)
class SchemaError:
    """One thing that the schema of an object's kind does not allow, in plain words and without a Secret's values.

    `code` is unknown, type, missing, value, quantity, duplicate, removed, deprecated or unknown-kind; `field` counts from the object's top.
    `assumed` where the definition is not the environment's own: of the Flux that devloop runs.
    """

    code: str
    field: tuple[FieldStep, ...]
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
