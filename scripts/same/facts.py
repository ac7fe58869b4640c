"""Splits an output into facts, which must stay, and the words around them, which may change."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# JSON keys with texts for people.
_WORDS = frozenset({"message", "hint", "title", "text", "markdown", "fullDescription", "shortDescription", "help"})
# A hash of the rule, the location and the message, which are compared separately.
_DERIVED = "partialFingerprints"
# What a format puts around a message: location, severity, environments and rule.
_BEFORE = re.compile(r"^(?:::\w+[^:]*::|(?:[\w./-]+:\d+(?:: |  ))?(?:(?:\d+|-)  )?(?:error|warning|info|hint)(?::|  ) *)")
_AFTER = re.compile(r" {1,2}(?:\([\w, -]+\) {1,2})?\[[a-z]+/[a-z-]+\]$")
# In texts: a location, a rule, a severity, an option in a help text, the counts of errors and warnings, the result.
_FACT = re.compile(
    r"(?<![\w./-])[\w./-]+\.\w+:\d+\b|\[[a-z]+/[a-z-]+\]|^ *(?:\d+|-)  (?:error|warning|info)\b|^ +(?:-\w, )?--[a-z][a-z-]+"
    r"|\b\d+ (?:error|warning)|^::\w+[^:]*|^(?:error|warning|✓|✗)(?=\W)",
    re.MULTILINE,
)


@dataclass
class Taken:
    """`facts` with how often each occurs; those in `may_grow` may occur more often afterwards; `words` in order."""

    facts: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    may_grow: bool = False


def take(text: str, *, verbatim: bool = False) -> Taken:
    """The facts in `text`; `verbatim` if every line is a fact, as in manifests."""
    if verbatim:
        return Taken(Counter(text.splitlines()))
    if text.startswith(("{", "[")):
        try:
            return _of_json(json.loads(text))
        except ValueError:
            pass
    if text.startswith("<?xml"):
        return _of_xml(text)
    return Taken(Counter(match.strip() for match in _FACT.findall(text)), list(_words(text)))


def _of_json(document: Any) -> Taken:
    taken = Taken(may_grow=True)
    for place, value, is_word in _leaves(document, "", False):
        if is_word:
            taken.words += _words(str(value))
        else:
            taken.facts[f"{place} = {json.dumps(value)}"] += 1
    return taken


def _leaves(value: Any, place: str, is_word: bool) -> Iterator[tuple[str, Any, bool]]:
    """Every leaf; an item of a list is named by all its facts, so that the order does not matter."""
    if isinstance(value, dict):
        for key in (key for key in value if key != _DERIVED):
            yield from _leaves(value[key], f"{place}.{key}", is_word or key in _WORDS)
    elif isinstance(value, list) and not is_word:
        entries = sorted(value, key=lambda entry: json.dumps(_without_words(entry), sort_keys=True))
        counted = [entry for entry in entries if not _is_skipped(entry)]
        yield f"{place}.length", len(counted), False
        for number, entry in enumerate(counted):
            yield from _leaves(entry, f"{place}[{number}]", False)
    else:
        yield place, value, is_word


def _is_skipped(entry: Any) -> bool:
    """A step that did not run; a report may have more of these."""
    return isinstance(entry, dict) and entry.get("status") == "skipped" and "seconds" in entry


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_words(each) for key, each in value.items() if key not in _WORDS}
    return [_without_words(each) for each in value] if isinstance(value, list) else value


def _of_xml(text: str) -> Taken:
    taken = Taken()
    for element in ElementTree.fromstring(text).iter():
        facts = {key: value for key, value in element.attrib.items() if key != "message"}
        taken.facts[f"<{element.tag} {json.dumps(facts, sort_keys=True)}>"] += 1
        taken.words += _words(element.text or "")
    return taken


def _words(text: str) -> Iterator[str]:
    """Its lines without what the format adds, so that a message is the same in all formats."""
    for line in text.replace("%0A", "\n").splitlines():
        if bare := _AFTER.sub("", _BEFORE.sub("", line.strip())):
            yield bare
