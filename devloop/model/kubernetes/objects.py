"""An object of the API, and its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, order=True)
class ObjectId:
    namespace: str
    name: str

    @classmethod
    def parse(cls, text: str) -> ObjectId:
        """From `namespace/name`."""
        namespace, _, name = text.partition("/")
        return cls(namespace, name)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
