"""Regular expressions that users write."""

from __future__ import annotations

import re
import warnings


def compiled(text: str) -> re.Pattern[str]:
    """Raises ValueError, which says why, for whatever Python cannot make an expression of; what it merely frowns at is fine."""
    with warnings.catch_warnings(action="ignore"):
        try:
            return re.compile(text)
        except (re.error, OverflowError) as error:
            raise ValueError(str(error)) from None
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
