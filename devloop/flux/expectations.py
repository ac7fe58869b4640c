"""What the last `up` of an environment expects in its cluster, kept for `status`. Names alone."""

from pathlib import Path

from devloop.clients import private_files
from devloop.model.causes.expected import Expected

FILE = "expected.json"


def save(folder: Path, expected: Expected) -> None:
    document = expected.to_json()
    if private_files.read_json(folder / FILE) != document:
        private_files.write_json(folder / FILE, document)


def load(folder: Path) -> Expected:
    """Empty if no `up` has come so far, or for a file of another version."""
    try:
        return Expected.from_json(private_files.read_json(folder / FILE))
    except (ValueError, TypeError, KeyError):
        return Expected("", {})
