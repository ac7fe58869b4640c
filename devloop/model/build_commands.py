"""Commands that make files or images from sources of the repository: the section `build` of devloop.yaml. No I/O."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

TIMEOUT = 600.0  # seconds, unless the file says otherwise


@dataclass(frozen=True)
class BuildCommand:
    """`argv` runs in the repository's root when a file below one of `paths` has changed; `timeout` in seconds."""

    argv: tuple[str, ...]
    paths: tuple[str, ...]
    timeout: float = TIMEOUT
    line: int = 0

    def __str__(self) -> str:
        return " ".join(self.argv)


def fingerprint(commands: Sequence[BuildCommand]) -> str:
    """What a user allows: another command, folder or timeout has another fingerprint."""
    content = [{**asdict(command), "line": 0} for command in commands]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
