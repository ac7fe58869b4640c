"""The paths of fields, as API servers and controllers write them in messages. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.diagnostic import FieldStep

Field = tuple[FieldStep, ...]

# A part of a path: .name, [0], [key], ["key"], [name="web"] or [containerPort=80,protocol="TCP"].
_PART = re.compile(r"""\.?([A-Za-z_$][\w/$-]*)|\[([^\]\[]*)\]""")
_PATH = r"(?:metadata|spec|data|stringData|binaryData|rules|subjects|roleRef|webhooks|type|immutable|provisioner|parameters|\$patch)"
_TAIL = r"(?:\.[A-Za-z_$][\w$-]*|\[[^\]\[]*\])*"

# apimachinery's field errors, structured-merge-diff's, those of strict decoding, and what policies write.
_REASON = r"(?:Invalid value|Required value|Forbidden|Unsupported value|Duplicate value|Not found|Too |Internal)"
_MENTIONS = (
    re.compile(rf"(?:^|[\s\[(]|<nil>: )({_PATH}{_TAIL}): {_REASON}"),
    re.compile(rf"(?:^|\s)\.({_PATH}{_TAIL}): "),
    re.compile(rf'(?:unknown|duplicate) field "({_PATH}{_TAIL})"'),
)
_LOOSE = re.compile(r"""(?:^|[\s"'`(])(?:object\.)?((?:metadata|spec|data)(?:\.[A-Za-z_$][\w$-]*|\[[^\]\[\s]*\])+)""")
_POINTER = re.compile(r"(?:^|[\s\"'`])(/(?:metadata|spec|data)/[\w./~-]+)")


def mentioned_fields(message: str) -> tuple[Field, ...]:
    """The fields that a refusal is about, in the order of the message, each once."""
    found = [(match.start(1), match[1]) for pattern in _MENTIONS for match in pattern.finditer(message)]
    if not found:
        found = [(match.start(1), match[1]) for match in _LOOSE.finditer(message)]
    paths = dict.fromkeys(text for _, text in sorted(found))
    return tuple(map(parse_field, paths)) or tuple(pointer(match[1].rstrip("/.")) for match in _POINTER.finditer(message))


def parse_field(path: str) -> Field:
    """`spec.ports[0].port` as ('spec', 'ports', 0, 'port'); keys of lists as mappings."""
    return tuple(_step(match[1], match[2]) for match in _PART.finditer(path))


def _step(name: str | None, bracket: str | None) -> FieldStep:
    if name is not None:
        return name
    assert bracket is not None
    if bracket.isdigit():
        return int(bracket)
    if "=" in bracket and re.fullmatch(r"""\w+="?[^",]*"?(,\w+="?[^",]*"?)*""", bracket):
        return {key: value.strip('"') for key, _, value in (pair.partition("=") for pair in bracket.split(","))}
    return bracket.strip("\"'")


def pointer(text: str) -> Field:
    """A JSON pointer, `/api/replicas`."""
    steps = (step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])
    return tuple(int(step) if step.isdigit() else step for step in steps)


def reached(body: Any, field: Field) -> Field:
    """The part of `field` that the object has; items of lists by their names, so that it holds in a patch and a base as well."""
    steps: list[FieldStep] = []
    for step in field:
        found = _into(body, step)
        if found is None:
            return tuple(steps)
        step, body = found
        steps.append(step)
    return tuple(steps)


def has(body: Any, field: Field) -> bool:
    return len(reached(body, field)) == len(field)


def value_at(body: Any, field: Field) -> Any:
    """The value of a field that the object has, else None."""
    for step in field:
        found = _into(body, step)
        if found is None:
            return None
        body = found[1]
    return body


def _into(value: Any, step: FieldStep) -> tuple[FieldStep, Any] | None:
    match step:
        case str() if isinstance(value, Mapping) and step in value:
            return step, value[step]
        case int() if isinstance(value, list) and step < len(value):
            return _named(value, step), value[step]
        case Mapping() if isinstance(value, list):
            return next(((_named(value, index), item) for index, item in enumerate(value) if _is(item, step)), None)
    return None


def _named(items: list[Any], index: int) -> FieldStep:
    """The item's name if no other one has it, else its index."""
    name = items[index].get("name") if isinstance(items[index], Mapping) else None
    same = sum(isinstance(item, Mapping) and item.get("name") == name for item in items)
    return {"name": name} if isinstance(name, str) and name and same == 1 else index


def _is(item: Any, wanted: Mapping[str, str]) -> bool:
    return isinstance(item, Mapping) and all(str(item.get(key, "")) == value for key, value in wanted.items())


def items_at(body: Any, *keys: str) -> Iterator[tuple[Field, Mapping[str, Any]]]:
    """The mappings of a list, each with its field."""
    listed = value_at(body, keys)
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, Mapping):
            yield (*keys, _named(listed, index)), item
