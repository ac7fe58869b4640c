"""The scalars of a YAML, JSON, dotenv or INI file, with key path and line. No I/O."""

import configparser
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError

# How SOPS writes nested metadata where a format has no nesting: age__list_0__map_recipient.
_FLAT = re.compile(r"__(?:list|map)_")


@dataclass(frozen=True)
class Leaf:
    path: tuple[str, ...]
    value: str
    line: int

    @property
    def encrypted(self) -> bool:
        return self.value.startswith("ENC[")


def read_leaves(path: str, text: str) -> Iterator[Leaf]:
    """The file's suffix decides the format, YAML by default, like in SOPS; raises InputError."""
    reader = {".env": _dotenv_leaves, ".ini": _ini_leaves}.get(PurePosixPath(path).suffix, _yaml_leaves)
    try:
        yield from reader(text)
    except (yaml.YAMLError, configparser.Error) as error:
        reason = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise InputError.of([Diagnostic.at(path, _line(getattr(error, "problem_mark", None)), f"cannot be read: {reason}")]) from None


def _line(mark: Any) -> int:
    return mark.line + 1 if mark else 0


def _yaml_leaves(text: str) -> Iterator[Leaf]:
    """Reads events only: like in SOPS, anchors may be redefined and tags unknown."""
    levels: list[_Level] = []
    anchors: dict[str, str] = {}
    # SOPS indents JSON with tabs, which YAML does not allow; JSON strings contain no raw tabs.
    for event in yaml.parse(text.expandtabs(1) if text.lstrip().startswith("{") else text, _LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
        elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent | yaml.CollectionStartEvent):
            value = event.value if isinstance(event, yaml.ScalarEvent) else anchors.get(str(event.anchor), "")
            if isinstance(event, yaml.ScalarEvent) and event.anchor:
                anchors[event.anchor] = value
            is_value = bool(levels) and levels[-1].take(value)
            if isinstance(event, yaml.CollectionStartEvent):
                levels.append(_Level(mapping=isinstance(event, yaml.MappingStartEvent)))
            elif is_value:
                yield Leaf(tuple(level.key for level in levels), value, _line(event.start_mark))


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Level:
    """The position in one mapping or sequence."""

    def __init__(self, *, mapping: bool) -> None:
        self.key = "" if mapping else "-1"
        self._mapping = mapping
        self._value_next = False

    def take(self, node: str) -> bool:
        """Advance by one node; whether it is a value, not a key."""
        if not self._mapping:
            self.key = str(int(self.key) + 1)
            return True
        if not self._value_next:
            self.key = node
        self._value_next = not self._value_next
        return not self._value_next


def _dotenv_leaves(text: str) -> Iterator[Leaf]:
    for number, line in enumerate(text.splitlines(), start=1):
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            flat = key.strip()
            path = ("sops", *_FLAT.split(flat.removeprefix("sops_"))) if flat.startswith("sops_") else (flat,)
            yield Leaf(path, value.strip(), number)


def _ini_leaves(text: str) -> Iterator[Leaf]:
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    parser.read_string(text)
    lines = {line.partition("=")[0].strip(): number for number, line in enumerate(text.splitlines(), start=1)}
    for section in parser.sections():
        for key, value in parser.items(section):
            path = ("sops", *_FLAT.split(key)) if section == "sops" else (section, key)
            yield Leaf(path, value, lines.get(key, 0))
