"""The fields of an object that the API server refuses, also where its message names none or a whole map. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.model.causes.field_paths import Field, mentioned_fields, value_at
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.pod_templates import pod_template

_VALUE = re.compile(r'Invalid value: "([^"]*)"')
# What the message quotes: apimachinery's resource.Quantity.
_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")


def fields_of_refusal(message: str, manifest: Manifest) -> tuple[Field, ...]:
    """In the order of the message."""
    fields = tuple(_narrowed(field, message, manifest.body) for field in mentioned_fields(message))
    return fields or tuple(_unnamed(message, manifest))


def _narrowed(field: Field, message: str, body: Mapping[str, Any]) -> Field:
    """The entry of a map of labels and the like whose key or value the message quotes."""
    entries, quoted = value_at(body, field), _VALUE.search(message)
    if not isinstance(entries, Mapping) or not quoted:
        return field
    return next(((*field, key) for key, value in entries.items() if quoted[1] in (key, value)), field)


def _unnamed(message: str, manifest: Manifest) -> Iterator[Field]:
    """Errors of conversion, which name no field."""
    if "illegal base64 data" in message:
        yield ("data",)
    template = pod_template(manifest, any_version=True)
    if "quantities must match" in message and template:
        for container in template.containers:
            for side in ("requests", "limits"):
                for resource, value in mapping_at(container.body, "resources", side).items():
                    if not _QUANTITY.fullmatch(str(value)):
                        yield (*container.field, "resources", side, str(resource))
