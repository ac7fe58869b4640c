"""The lines around a finding as a terminal may show them: never a value that is or may be secret. No I/O.

What is secret cannot be known for certain from a text, so whole documents are masked when they look like it: Secrets, generators of them,
what SOPS encrypted, formats without a structure. There only keys are shown, and the values of what names the object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from devloop.model.report import Frame

MASK = "***"
_CONTEXT = 2
_LONGEST = 160

_STRUCTURED = frozenset({".yaml", ".yml", ".json", ".md", ".toml", ".tpl"})
_SECRET_NAME = re.compile(
    r"(?i)(\.enc\.|\.sops\.|(?<!external)(?<!external-)secret(?!-?store)|credential|password|\.env$|\.key$|\.pem$|\.agekey$)"
)
_SECRET_TEXT = re.compile(
    r"""["']?kind["']?\s*:[^\n]{0,20}(?<![A-Za-z])Secret\b(?=[\s\S]*\b(?:data|stringData)\b)  # a Secret with values
    | secretGenerator | ENC\[ | ^sops\s*: | ^\s*"sops"\s*: | AGE-SECRET-KEY | PRIVATE\ KEY
    """,
    re.VERBOSE | re.MULTILINE,
)
_SECRET_KEY = re.compile(r"(?i)(pass(w(or)?d|phrase|code)?|token|api[-_]?key|secret([-_]?key)?|private[-_]?key|credentials?|literals?)$")
_ENTRY = re.compile(r"""^(?P<indent>\s*(?:-\s+)*)(?P<key>[\w./$-]+|"[^"]*"|'[^']*')(?P<colon>\s*:)(?P<value>\s.*|)$""")
_SEPARATOR = re.compile(r"^---(\s|$)")
_BLOCK = re.compile(r"[|>][-+0-9]*\s*(#.*)?$")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@|(?<=://)[^/@\s]{20,}@")
_HARMLESS = frozenset({"true", "false", "null", "~"})
_NAMING = frozenset({"apiVersion", "kind", "type", "immutable"})
_METADATA = frozenset({"name", "namespace"})


def frame(path: str, text: str, line: int) -> Frame | None:
    """The lines around `line` (from 1) of the file `path`; None where there is no such line, or nothing to show."""
    lines = text.splitlines()
    if not 0 < line <= len(lines):
        return None
    first, last = max(1, line - _CONTEXT), min(len(lines), line + _CONTEXT)
    shown = tuple(_printable(_masked(path, lines, number)) for number in range(first, last + 1))
    if all(text.strip() in ("", MASK) for text in shown):
        return None
    meant = shown[line - first]
    start = len(meant) - len(meant.lstrip())
    return Frame(first, shown, line, start, max(start + 1, len(meant)))


def _masked(path: str, lines: Sequence[str], number: int) -> str:
    line = lines[number - 1]
    above, below = _document(lines, number)
    document = lines[above:below]
    if not line.strip() or _SEPARATOR.match(line):
        return line
    entry = _ENTRY.match(line)
    parents = tuple(_parents(document[: number - above]))
    if _is_structured(path) and not _is_secret(path, document):
        below_secret = any(_has_secret_key(parent) for parent in parents)
        return _hidden(line) if below_secret or (entry and _has_secret_key(line)) else line
    if any(_BLOCK.search(parent) for parent in parents):
        return line[: len(line) - len(line.lstrip())] + MASK
    return line if entry and _names_the_object(entry, parents) else _hidden(line)


def _has_secret_key(line: str) -> bool:
    entry = _ENTRY.match(line)
    if entry is None or entry["value"].strip() in _HARMLESS:
        return False
    return _SECRET_KEY.search(entry["key"].strip("\"'")) is not None


def _parents(lines: Sequence[str]) -> Iterator[str]:
    """The lines that the last one is nested in, the nearest first."""
    depth = _indent(lines[-1])
    for line in reversed(lines[:-1]):
        if _indent(line) < depth:
            depth = _indent(line)
            yield line


def _is_structured(path: str) -> bool:
    return PurePosixPath(path).suffix in _STRUCTURED


def _is_secret(path: str, document: Sequence[str]) -> bool:
    return bool(_SECRET_NAME.search(PurePosixPath(path).name)) or bool(_SECRET_TEXT.search("\n".join(document)))


def _document(lines: Sequence[str], number: int) -> tuple[int, int]:
    """Where the document around line `number` begins and ends, as a slice."""
    starts = [index for index, line in enumerate(lines) if _SEPARATOR.match(line)]
    above = max((index for index in starts if index < number), default=0)
    return above, min((index for index in starts if index >= number), default=len(lines))


def _hidden(line: str) -> str:
    """The line without its value: an entry keeps its key, anything else only its place."""
    entry = _ENTRY.match(line)
    if entry is None:
        return line[: len(line) - len(line.lstrip())] + MASK
    return f"{entry['indent']}{entry['key']}{entry['colon']} {MASK}" if entry["value"].strip() else line


def _names_the_object(entry: re.Match[str], parents: Sequence[str]) -> bool:
    """apiVersion, kind and the like at the top of a document, name and namespace directly below a top-level metadata."""
    if not entry["indent"]:
        return entry["key"] in _NAMING
    return entry["key"] in _METADATA and len(parents) == 1 and re.fullmatch(r"metadata\s*:\s*", parents[0]) is not None


def _indent(line: str) -> int:
    """Lines without content are as deep as any."""
    return len(line) - len(line.lstrip()) if line.strip() and not line.lstrip().startswith("#") else _LONGEST


def _printable(line: str) -> str:
    """Tabs as spaces, no control characters, no credentials of a URL, not longer than a terminal is wide."""
    clean = _CREDENTIALS.sub(f"{MASK}@", "".join(_characters(line.expandtabs(4).rstrip())))
    return clean if len(clean) <= _LONGEST else clean[: _LONGEST - 3] + "..."


def _characters(line: str) -> Iterator[str]:
    for character in line:
        yield character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
