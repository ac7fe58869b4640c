"""Compares the results of both builds and prints the differences."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from scripts.same.facts import Taken, take
from scripts.same.running import Result

SAME, DIFFERENT = 0, 1
# Lines shown of one diff.
LONGEST = 60


def compare(pairs: Iterable[tuple[Result, Result]], mode: str, inputs: str) -> int:
    """Print differences as soon as they are known, then the number of commands that differ; returns the exit code."""
    messages: dict[tuple[str, str], None] = {}
    count = differing = 0
    for old, new in pairs:
        count += 1
        found = list(_bytes(old, new) if mode == "bytes" else _facts(old, new, messages))
        differing += bool(found)
        for line in [f"\n== {old.command.name}", *found] if found else ():
            print(line.replace(inputs, "$INPUTS"), flush=True)
    if messages:
        print(f"\n{len(messages)} changed messages:")
        for was, now in messages:
            print(f"  {was or '(nothing)'}\n    -> {now or '(nothing)'}".replace(inputs, "$INPUTS"))
    print(f"\n{differing} of {count} commands differ" if differing else f"same: {count} commands")
    return DIFFERENT if differing else SAME


def _texts(old: Result, new: Result) -> Iterator[tuple[str, str | None, str | None]]:
    """Name and texts of outputs that differ; None if one build has no such output."""
    for name in [*old.texts, *(name for name in new.texts if name not in old.texts)]:
        was, now = old.texts.get(name), new.texts.get(name)
        if was != now:
            yield name, was, now


def _bytes(old: Result, new: Result) -> Iterator[str]:
    for name, was, now in _texts(old, new):
        yield from _difference(name, (was or "").splitlines(), (now or "").splitlines())
        if was is None or now is None:
            yield f"({name} is there only {'after' if was is None else 'before'})"


def _facts(old: Result, new: Result, messages: dict[tuple[str, str], None]) -> Iterator[str]:
    """The facts that differ; changed words are added to `messages`."""
    for name, was, now in _texts(old, new):
        if was is None or now is None or name.endswith("exit code"):
            yield f"{name}: {was or 'nothing'} -> {now or 'nothing'}"
            continue
        first, second = (_taken(text, name, old) for text in (was, now))
        gone, come = first.facts - second.facts, second.facts - first.facts
        if gone or (come and not second.may_grow):
            yield from _difference(f"{name} (facts)", sorted(first.facts.elements()), sorted(second.facts.elements()))
        messages |= dict.fromkeys(_changed(first.words, second.words))


def _taken(text: str, name: str, result: Result) -> Taken:
    number = int(name[0]) if name[0].isdigit() and ": " in name else 1
    return take(text, verbatim=name.endswith("stdout") and result.command.parts[number - 1].startswith("render "))


def _changed(was: Sequence[str], now: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Changed messages, in pairs where possible."""
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind != "equal":
            old, new = was[i1:i2], now[j1:j2]
            for number in range(max(len(old), len(new))):
                yield old[number] if number < len(old) else "", new[number] if number < len(new) else ""


def _difference(name: str, was: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    lines = list(difflib.unified_diff(was, now, f"before: {name}", f"after: {name}", lineterm="", n=2))
    yield from lines[:LONGEST]
    if len(lines) > LONGEST:
        yield f"... {len(lines) - LONGEST} more lines"
    if not lines:
        yield f"{name}: the ends of lines or of the text differ"
