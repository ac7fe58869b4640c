"""${NAME} and ${NAME:-default} in the strings of a definition."""

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}")


def expand(text: str, variables: Mapping[str, str]) -> tuple[str, list[str]]:
    """`text` with its variables replaced, and the unset ones; as in a shell, a default also replaces an empty variable."""
    missing = [match[1] for match in _VARIABLE.finditer(text) if match[2] is None and match[1] not in variables]
    return _VARIABLE.sub(lambda match: variables.get(match[1], "") or match[3] or "", text), missing
