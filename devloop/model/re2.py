"""Users' regular expressions in the syntax of SOPS, Flux and Kubernetes: Go's, that is RE2's, which always takes linear time.

https://github.com/google/re2/wiki/Syntax: no look-around, no backreferences, flags anywhere.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from devloop.model.messages import quote


@dataclass(frozen=True)
class Expression:
    """Created by `compiled`; `text` as written."""

    text: str
    _compiled: Any

    def search(self, text: str) -> bool:
        # File names may contain invalid Unicode.
        return self._compiled.search(text.encode(errors="replace")) is not None

    def fullmatch(self, text: str) -> bool:
        return self._compiled.fullmatch(text.encode(errors="replace")) is not None


@lru_cache
def compiled(text: str) -> Expression:
    """Raises ValueError with the reason if it is not a valid expression."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return Expression(text, re2.compile(text.encode(), options=options))
    except UnicodeEncodeError:
        raise ValueError("it contains an unpaired surrogate") from None
    except re2.error as error:
        reason, _, part = error.args[0].decode(errors="replace").partition(": ")
        raise ValueError(f"{reason}: {quote(part)}" if part else reason) from None
