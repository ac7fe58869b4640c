"""The lines around a finding, without values that are or may be secret. No I/O.

Masks whole documents that may have secrets: Secrets, secret generators, SOPS files, unstructured formats. Shows only their keys and the
values of fields that identify the object.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath

from devloop.diagnostic import Snippet
from devloop.model.redaction import MASK, mask_credentials

_CONTEXT = 2
_LONGEST = 160

_STRUCTURED = frozenset({".yaml", ".yml", ".json", ".md", ".toml", ".tpl"})
_SECRET_NAME = re.compile(
    r"(?i)(\.enc\.|\.sops\.|(?<!external)(?<!external-)secret(?!-?store)|credential|password|\.env$|\.key$|\.pem$|\.agekey$)"
)
_SECRET_TEXT = re.compile(r"""secretGenerator|ENC\[|^sops\s*:|^[ \t]*"sops"\s*:|AGE-SECRET-KEY|PRIVATE KEY""", re.MULTILINE)
_SECRET_KIND = re.compile(r"""["']?kind["']?\s*:\s*(?:[!&]\S+\s+)*["']?Secret\b""")
_VALUES = re.compile(r"\b(?:data|stringData)\b")
_ONLY_SECRETS = re.compile(r"\bstringData\b")
_SECRET_KEY = re.compile(
    r"(?i)(pass(w(or)?d|phrase|code)?|pwd|token|api[-_]?key|secret([-_]?(access[-_]?)?key)?|private[-_]?key|credentials?|dsn"
    r"|connection[-_]?string|literals?)$"
)
# Of items like {name: DB_PASSWORD, value: ...} and {op: add, path: /data/password, value: ...}.
_NAMES_ITEM = re.compile(r"""(?:^|[\s{,-])["']?(?:name|path|key|targetPath)["']?\s*:\s*(?P<name>[^\s,}]+)""")
_FLOW_ENTRY = re.compile(r"""["']?(?P<key>[\w./-]+)["']?\s*:""")
_ENTRY = re.compile(r"""^(?P<indent>\s*(?:-\s+)*)(?P<key>[\w./$-]+|"[^"]*"|'[^']*')(?P<colon>\s*:)(?P<value>\s.*|)$""")
_SEPARATOR = re.compile(r"^---(\s|$)")
_BLOCK = re.compile(r"[|>][-+0-9]*\s*(#.*)?$")
_HARMLESS = frozenset({"true", "false", "null", "~"})
_NAMING = frozenset({"apiVersion", "kind", "type", "immutable"})
_METADATA = frozenset({"name", "namespace"})


class _Text:
    """A file; `parents` has the number (from 0) of the line in which each line is nested."""

    def __init__(self, path: str, text: str) -> None:
        self.lines = text.splitlines()
        self.structured = PurePosixPath(path).suffix in _STRUCTURED
        self.parents = tuple(_parents(self.lines))
        self._starts = [0, *(number for number, line in enumerate(self.lines) if number and _SEPARATOR.match(line))]
        documents = (self.lines[above:below] for above, below in pairwise([*self._starts, len(self.lines)]))
        self._secret = [_is_secret(path, document) for document in documents]

    def is_secret(self, number: int) -> bool:
        return self._secret[bisect_right(self._starts, number) - 1]

    def above(self, number: int) -> tuple[str, ...]:
        """The lines in which a line is nested, the nearest first."""
        above = []
        while (number := self.parents[number]) >= 0:
            above.append(self.lines[number])
        return tuple(above)

    def item(self, number: int) -> tuple[str, ...]:
        """The lines of the list item that has the line among its keys."""
        start = number if self.lines[number].lstrip().startswith("-") else self.parents[number]
        end = start + 1
        depth = _depth(self.lines[start]) if start >= 0 else -1
        while end < len(self.lines) and end - start < _LONGEST and _depth(self.lines[end]) > depth:
            end += 1
        return tuple(self.lines[max(start, 0) : end])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


_read = lru_cache(maxsize=8)(_Text)


def snippet(path: str, text: str, line: int, *, secret: bool = False) -> Snippet | None:
    """The lines around `line` (from 1); None if there is no such line or all lines are masked. With `secret`, as if all were a Secret's."""
    read = _read(path, text)
    if not 0 < line <= len(read.lines):
        return None
    first, last = max(1, line - _CONTEXT), min(len(read.lines), line + _CONTEXT)
    shown = tuple(_printable(_masked(read, number - 1, secret=secret)) for number in range(first, last + 1))
    if all(text.strip() in ("", MASK) for text in shown):
        return None
    current = shown[line - first]
    start = len(current) - len(current.lstrip())
    return Snippet(first, shown, line, start, max(start + 1, len(current)))


def _masked(text: _Text, number: int, *, secret: bool) -> str:
    line = text.lines[number]
    if not line.strip() or _SEPARATOR.match(line):
        return line
    entry, parents = _ENTRY.match(line), text.above(number)
    if text.structured and not secret and not text.is_secret(number):
        below_secret = any(_has_secret_key(parent) for parent in parents)
        own = _has_secret_key(line) or _has_secret_in_flow(line) or (entry and _is_secret_value(text, number, entry))
        return _hide_value(line) if below_secret or own else line
    if any(_BLOCK.search(parent) for parent in parents):
        return line[: len(line) - len(line.lstrip())] + MASK
    return line if entry and _names_the_object(entry, parents) else _hide_value(line)


def _has_secret_key(line: str) -> bool:
    entry = _ENTRY.match(line)
    if entry is None or entry["value"].strip() in _HARMLESS:
        return False
    return _SECRET_KEY.search(entry["key"].strip("\"'")) is not None


def _has_secret_in_flow(line: str) -> bool:
    """{password: ...}, or {name: DB_PASSWORD, value: ...}."""
    brace = re.search(r"[{\[]", line)
    flow = line[brace.start() :] if brace else ""
    names = (match["name"].strip("\"'") for match in _NAMES_ITEM.finditer(flow) if "value" in flow)
    keys = (match["key"] for match in _FLOW_ENTRY.finditer(flow))
    return any(_SECRET_KEY.search(name) for name in (*names, *keys))


def _is_secret_value(text: _Text, number: int, entry: re.Match[str]) -> bool:
    """The value of an item whose name or path is that of a secret."""
    if entry["key"].strip("\"'") not in ("value", "default"):
        return False
    item = text.item(number)
    names = (match["name"].strip("\"'") for line in item for match in _NAMES_ITEM.finditer(line))
    return any(_SECRET_KEY.search(name) for name in names)


def _parents(lines: Sequence[str]) -> Iterator[int]:
    """For each line the nearest one above with less indent, -1 for none."""
    open_lines: list[tuple[int, int]] = []
    for number, line in enumerate(lines):
        content = line.lstrip()
        # Empty lines and comments are never parents.
        depth = len(line) - len(content) if content and not content.startswith("#") else _LONGEST
        while open_lines and open_lines[-1][0] >= depth:
            open_lines.pop()
        yield open_lines[-1][1] if open_lines else -1
        open_lines.append((depth, number))


def _is_secret(path: str, document: Sequence[str]) -> bool:
    if _SECRET_NAME.search(PurePosixPath(path).name):
        return True
    text = "\n".join(document)
    return bool(_SECRET_TEXT.search(text) or _ONLY_SECRETS.search(text) or (_SECRET_KIND.search(text) and _VALUES.search(text)))


def _hide_value(line: str) -> str:
    """Keeps the key of an entry, and only the indent of other lines."""
    entry = _ENTRY.match(line)
    if entry is None:
        return line[: len(line) - len(line.lstrip())] + MASK
    return f"{entry['indent']}{entry['key']}{entry['colon']} {MASK}" if entry["value"].strip() else line


def _names_the_object(entry: re.Match[str], parents: Sequence[str]) -> bool:
    """apiVersion, kind and similar top-level keys, and metadata.name and metadata.namespace."""
    if not entry["indent"]:
        return entry["key"] in _NAMING
    return entry["key"] in _METADATA and len(parents) == 1 and re.fullmatch(r"metadata\s*:\s*", parents[0]) is not None


def _printable(line: str) -> str:
    """Expands tabs, replaces control characters, masks credentials of URLs and shortens long lines."""
    printable = (each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line.expandtabs(4).rstrip())
    clean = mask_credentials("".join(printable))
    return clean if len(clean) <= _LONGEST else clean[: _LONGEST - 3] + "..."
