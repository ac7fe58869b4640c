"""Removes differences between two runs that are not changes; the only module that edits outputs before the comparison."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from scripts.same.commands import Command

# Measured times: "0.3 s" after a step or in its line, `"seconds": 0.012`, `time="0.012"` of JUnit; with the padding around it.
_SECONDS = (
    (re.compile(r'("seconds": |\btime=")\d+\.\d+'), r"\g<1>0"),
    (re.compile(r" +\d+\.\d s\b"), " N s"),
)
# Free resources of this machine in the output of `doctor`, and why no engine answers: on a busy one, the request times out.
_ROOM = (
    (re.compile(r"((?:nobody answers at|no response from) \S+) \([^)]*\)"), r"\1"),
    (re.compile(r"\d+(\.\d+)? (KiB|MiB|GiB|TiB)( of \d+(\.\d+)? GiB)?( available| free)"), r"N\5"),
)
# Temporary folders in messages.
_SCRATCH = ((re.compile(r"\b(devloop-(worker|revision|index)-)[\w-]+"), r"\1N"),)
# New with every `init`: public keys, private key files, ciphertext, the commit id.
_FRESH = (
    (re.compile(r"\bage1[0-9a-z]{58}\b"), "age1KEY"),
    (re.compile(r"-[0-9a-z]{8}\.agekey"), "-KEY.agekey"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)"), "TIME"),
    (re.compile(r"ENC\[[^\]]*\]"), "ENC[]"),
    (re.compile(r"-----BEGIN AGE.*?END AGE[^\n]*", re.DOTALL), "AGE"),
)
# The version of the build worker is a hash of its sources, and the size of a program follows from them.
_WORKER = (
    (re.compile(r"^(worker +)[0-9a-f]{12}(.*?) +\d+ MiB", re.MULTILINE), r"\1KEY\2 N MiB"),
    (re.compile(r"/worker/[0-9a-f]{12}-[0-9a-f]{12}/"), "/worker/KEY/"),
    (re.compile(r"^[0-9a-f]{20}$", re.MULTILINE), "KEY"),
)


def normal(text: str, command: Command, folders: Mapping[str, str]) -> str:
    """`text` without what legitimately differs; `folders` are those of the build alone, by what they are called in their place."""
    text = _screen(text) if command.terminal else text
    for path, name in sorted(folders.items(), key=lambda item: -len(item[0])):
        text = re.sub(rf"{re.escape(path)}(?![\w-])", name, text)
    rules = (*_SECONDS, *_ROOM, *_SCRATCH, *(_FRESH if command.fresh else ()), *(_WORKER if command.worker else ()))
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return _in_any_order(text) if command.unordered else text


def _in_any_order(text: str) -> str:
    """Steps that go on side by side tell of their end in whatever order it comes; in a report as in lines."""
    try:
        report = json.loads(text)
        report["steps"].sort(key=lambda step: step["title"])
        return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    except (ValueError, TypeError, KeyError):
        return "".join(sorted(text.splitlines(keepends=True)))


def _screen(text: str) -> str:
    """What stays on a terminal: what is drawn while something goes on, and how often, is a matter of time."""
    lines, row = [""], 0
    for part in re.split(r"(\r?\n|\x1b\[(?:\d*A|2K|\?25[lh]))", text):
        if part.endswith("\n"):
            row += 1
            lines += [""] * (row == len(lines))
        elif part.endswith("A") and part.startswith("\x1b"):
            row = max(0, row - int(part[2:-1] or 1))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith("\x1b[?25"):
            lines[row] += part.replace("\r", "")
    return "\n".join(lines).rstrip() + "\n"
