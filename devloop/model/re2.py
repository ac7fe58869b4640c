"""Regular expressions that users write, read as SOPS, Flux and Kubernetes read theirs.

They are Go's, which are those of RE2 (https://github.com/google/re2/wiki/Syntax): no look-around, no references back, flags anywhere, and
never more than linear time, whatever the expression.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from devloop.model.messages import quote


@dataclass(frozen=True)
class Expression:
    """One as it was written; `compiled` makes it."""

    text: str
    _compiled: Any

    def search(self, text: str) -> bool:
        """Whether it fits some part of `text`."""
        return self._compiled.search(_encoded(text)) is not None

    def fullmatch(self, text: str) -> bool:
        """Whether it fits the whole of `text`."""
        return self._compiled.fullmatch(_encoded(text)) is not None


@lru_cache
def compiled(text: str) -> Expression:
    """Raises ValueError, which says why, for what is no expression."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return Expression(text, re2.compile(text.encode(), options=options))
    except UnicodeEncodeError:
        raise ValueError("it holds what is no text") from None
    except re2.error as error:
        reason, _, part = error.args[0].decode(errors="replace").partition(": ")
        raise ValueError(f"{reason}: {quote(part)}" if part else reason) from None


def _encoded(text: str) -> bytes:
    # Names of files may hold what is no text.
    return text.encode(errors="replace")
