"""The types of the worker's protocol are those of protocol.json, which the worker's own tests compare with its types."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from devloop.clients import worker_protocol
from devloop.clients.worker_protocol import OWN_KINDS, RESULTS, Request
from devloop.model.flux.graph import FailureKind
from devloop.model.lint.policy import PolicyOutcome

PROTOCOL = json.loads((Path(__file__).parents[3] / "worker/internal/protocol/protocol.json").read_text())

NAMES = {str: "string", int: "integer", bool: "boolean", Any: "any", Mapping[str, Any]: "object"}


def written(of: Any) -> str:
    """A type as protocol.json writes it."""
    if of is None:
        return ""
    if of in NAMES:
        return NAMES[of]
    if get_origin(of) is NotRequired:
        return f"{written(get_args(of)[0])}?"
    if get_origin(of) is Sequence:
        return f"[{written(get_args(of)[0])}]"
    if get_origin(of) is Mapping:
        return f"{{{written(get_args(of)[1])}}}"
    if get_origin(of) is Literal:
        return next(name for name, value in vars(worker_protocol).items() if value is of)
    return str(of.__name__)


def fields(of: Any) -> dict[str, str]:
    return {name: written(hint) for name, hint in get_type_hints(of, include_extras=True).items()}


def test_types_are_those_of_the_protocol() -> None:
    types = {name: fields(value) for name, value in vars(worker_protocol).items() if is_typeddict(value)}
    del types["Request"], types["Answer"]
    assert types == PROTOCOL["types"]


def test_requests_are_those_of_the_protocol() -> None:
    requests = {name: {"request": kind, "result": written(RESULTS[name])} for name, kind in fields(Request).items()}
    assert requests == PROTOCOL["requests"]


def test_closed_sets_are_those_of_the_protocol() -> None:
    literals = {name: list(get_args(value)) for name, value in vars(worker_protocol).items() if get_origin(value) is Literal}
    assert literals | {"FailureKind": values(FailureKind)} == PROTOCOL["values"]
    assert values(PolicyOutcome) == literals["PolicyOutcome"]


def values(of: type[StrEnum]) -> list[str]:
    return sorted(each.value for each in of if each not in OWN_KINDS)
