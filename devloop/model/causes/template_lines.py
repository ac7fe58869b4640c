"""The line of a field in a template of a chart, which is not YAML: by keys and indents, no further than they are certain. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devloop.diagnostic import FieldStep
from devloop.model.causes.field_paths import Field

_SEPARATOR = re.compile(r"^---(\s|$)")
_DIRECTIVE = re.compile(r"^\s*(\{\{[^{}]*\}\}\s*)?(#.*)?$")  # nothing that is rendered, or nothing of which the indent counts
_NAME_LINES = 12  # between the kind and the name of an object


def template_line(text: str, kind: str, name: str, field: Field) -> int:
    """The line (from 1) of the field, or of the last one on the way that is certain; 0 if no line gives the kind."""
    lines = text.splitlines()
    start = _start(lines, kind, name)
    if start is None:
        return 0
    first = next((number for number in range(start, 0, -1) if _SEPARATOR.match(lines[number])), 0)
    last = next((number for number in range(start, len(lines)) if _SEPARATOR.match(lines[number])), len(lines))
    position = _Position(lines, first, last, start, -1)
    for step in field:
        if (following := position.follow(step)) is None:
            break
        position = following
    return position.line + 1


def only_line(text: str, words: str) -> int:
    """The only line with a file's name among the words, comments aside; 0 for none and for several."""
    lines = {number: line for number, line in enumerate(text.splitlines(), start=1) if not line.lstrip().startswith("#")}
    for word in re.findall(r"[\w./-]*[\w-][./][\w./-]*\w", words):
        found = [number for number, line in lines.items() if re.search(rf"(?<![\w./-]){re.escape(word)}(?![\w./-])", line)]
        if len(found) == 1:
            return found[0]
    return 0


def says(line: str, value: Any) -> bool:
    """Whether a line of YAML may give the scalar: as it is, in part, or by a variable; True for other values, or for a line without one."""
    if isinstance(value, Mapping | list) or value is None:
        return True
    own = re.sub(r"^[\s-]*[\w./\"'-]+:(\s|$)", "", line).split(" #")[0].strip(" \"'-")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return not own or "$" in own or own in text or text in own


def _start(lines: Sequence[str], kind: str, name: str) -> int | None:
    """The line with the kind; of several, the one whose next lines end the name."""
    found = [number for number, line in enumerate(lines) if re.match(rf"kind:\s*[\"']?{re.escape(kind)}\b", line)]
    named = [number for number in found if any(_ends(line, name) for line in lines[number + 1 : number + _NAME_LINES])]
    return (named or (found if len(found) == 1 else []) or [None])[0]  # type: ignore[list-item]


def _ends(line: str, name: str) -> bool:
    """Whether the line is `name: {{ something }}-end` for a name that ends so, or the name itself."""
    key, _, value = line.strip().partition(":")
    end = value.rpartition("}}")[2].strip(" \"'")
    return key == "name" and (end == name or bool(end and "}}" in value and name.endswith(end)))


@dataclass(frozen=True)
class _Position:
    """The lines `first` to `last` (exclusive) may belong to what begins at `line`; its keys have a larger indent."""

    lines: Sequence[str]
    first: int
    last: int
    line: int
    indent: int

    def follow(self, step: FieldStep) -> _Position | None:
        match step:
            case str():
                return self._key(step)
            case Mapping():
                return self._item(step)
        return None

    def _key(self, key: str) -> _Position | None:
        """The only line with the key at the indent of the keys here."""
        inside = self._inside()
        depth = min((_depth(self.lines[number]) for number in inside), default=0)
        wanted = re.compile(rf"^[\s-]*[\"']?{re.escape(key)}[\"']?:(\s|$)")
        found = [number for number in inside if wanted.match(self.lines[number]) and _depth(self.lines[number]) == depth]
        return self._at(found[0], depth) if len(found) == 1 else None

    def _item(self, wanted: Mapping[str, str]) -> _Position | None:
        """The item of a list with these values, which follow its dash."""
        dashes = [number for number in self._inside(dash=True) if self.lines[number].lstrip().startswith("- ")]
        outer = min((_indent(self.lines[number]) for number in dashes), default=0)
        items = [number for number in dashes if _indent(self.lines[number]) == outer]
        ends = [*items[1:], self.last]
        for number, end in zip(items, ends, strict=True):
            keys = [self.lines[each].strip(" -") for each in range(number, end) if _depth(self.lines[each]) == outer + 2]
            if all(any(_says(each, key, value) for each in keys) for key, value in wanted.items()):
                return _Position(self.lines, number, end, number, outer)
        return None

    def _inside(self, *, dash: bool = False) -> list[int]:
        """The lines below, up to the first with the indent of this one."""
        inside: list[int] = []
        for number in range(self.first, self.last):
            text = self.lines[number]
            if _DIRECTIVE.match(text) or _SEPARATOR.match(text):
                continue
            depth = _indent(text) if dash else _depth(text)
            if depth > self.indent or (dash and depth == self.indent and text.lstrip().startswith("- ")):
                inside.append(number)
            elif number > self.line:
                break
        return inside

    def _at(self, line: int, depth: int) -> _Position:
        return _Position(self.lines, line + 1, self.last, line, depth)


def _says(line: str, key: str, value: str) -> bool:
    return re.fullmatch(rf"{re.escape(key)}:\s*[\"']?{re.escape(value)}[\"']?", line) is not None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _depth(line: str) -> int:
    """The indent of the key: that of an item's first key is behind its dash."""
    return len(line) - len(line.lstrip(" -"))
