"""The lists of `devloop env list` as JSON; see docs/report.md and environments.schema.json."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# As for reports: the minor version grows with every added field.
SCHEMA_VERSION = "1.0"
SCHEMA = Path(__file__).with_name("environments.schema.json")


def to_json(environments: Sequence[Mapping[str, Any]]) -> str:
    """One JSON document with a trailing newline."""
    document = {"schemaVersion": SCHEMA_VERSION, "environments": list(environments)}
    return json.dumps(document, indent=2, ensure_ascii=False).encode(errors="backslashreplace").decode() + "\n"
