"""The conditions of an object's status."""

from collections.abc import Mapping, Sequence
from typing import Any

from devloop.model.kubernetes.objects import Object

Condition = Mapping[str, Any]


def conditions_of(obj: Mapping[str, Any]) -> Sequence[Condition]:
    found: Sequence[Condition] = (obj.get("status") or {}).get("conditions") or ()
    return found


def condition(obj: Mapping[str, Any], kind: str) -> Condition:
    """The condition of this type, empty if there is none."""
    return next((each for each in conditions_of(obj) if each.get("type") == kind), {})


def has_condition(obj: Object, kind: str, status: str = "True") -> bool:
    return bool(condition(obj, kind).get("status") == status)
