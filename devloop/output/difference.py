"""What differs between two renderings, object by object, as a unified diff."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

_NOTHING = "/dev/null"


def difference(before: Mapping[str, str], after: Mapping[str, str], before_name: str, after_name: str) -> str:
    """Both map the names of objects to their documents; '' where all are the same. Objects come in the order of their names."""
    return "".join(f"{line}\n" for name in sorted({*before, *after}) for line in _object(name, before, after, before_name, after_name))


def _object(name: str, before: Mapping[str, str], after: Mapping[str, str], before_name: str, after_name: str) -> Iterator[str]:
    old = f"{before_name}:{name}" if name in before else _NOTHING
    new = f"{after_name}:{name}" if name in after else _NOTHING
    yield from difflib.unified_diff(before.get(name, "").splitlines(), after.get(name, "").splitlines(), old, new, lineterm="")
