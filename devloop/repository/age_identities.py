"""Age identities as they stand in files and variables: one per line, `#` for comments. What is wrong is told by line, never by content."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from devloop.clients.sops import recipient_of
from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.hint import command, instructions

# What stands where an identity should, and what to say of it.
_MISTAKEN = (
    ("age1", "is a public key, not an identity", "an identity begins with AGE-SECRET-KEY-1"),
    (
        "ssh-",
        "is an SSH key, which Flux cannot decrypt with",
        instructions(command("age-keygen -o FILE"), ", and add its public key to .sops.yaml"),
    ),
    (
        "-----BEGIN OPENSSH",
        "is an SSH key, which Flux cannot decrypt with",
        instructions(command("age-keygen -o FILE"), ", and add its public key to .sops.yaml"),
    ),
    ("-----BEGIN AGE", "is protected by a passphrase", "age --decrypt -o FILE what it is, and name FILE"),
    ("age-encryption.org/", "is protected by a passphrase", "age --decrypt -o FILE what it is, and name FILE"),
)
_PLUGIN = "AGE-PLUGIN-"
_POST_QUANTUM = "AGE-SECRET-KEY-PQ-1"


@dataclass(frozen=True)
class AgeIdentity:
    """One Age identity: its public half, where it was found, the file or variable there, and the private half, which nothing shows."""

    public: str
    origin: str
    place: str
    private: str = field(repr=False)


@dataclass(frozen=True)
class Identities:
    """All that were found; `skipped` says of the other places that were looked at why they gave nothing."""

    found: tuple[AgeIdentity, ...] = ()
    skipped: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.found)

    def __iter__(self) -> Iterator[AgeIdentity]:
        return iter(self.found)

    @property
    def public(self) -> tuple[str, ...]:
        return tuple(identity.public for identity in self.found)

    @property
    def text(self) -> str:
        """The private halves, one per line, for those who decrypt with them; never print it."""
        return "".join(f"{identity.private}\n" for identity in self.found)


def from_variable(name: str) -> Iterator[AgeIdentity | str]:
    """The identities in an environment variable and, as text, what was passed over; raises InputError for one that holds none."""
    if text := os.environ.get(name, "").strip():
        yield from _parse(text, name, name)


def from_file(path: Path, named_by: str = "") -> Iterator[AgeIdentity | str]:
    """The identities in a file and, as text, what was passed over; raises InputError for one that holds none."""
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError as error:
        message = f"the Age key file cannot be read: {error.strerror}"
        raise InputError.of([Diagnostic.at(str(path), 0, message, f"it is named by {named_by}" if named_by else "")]) from None
    yield from _parse(text, str(path), f"{named_by} {path}".strip())


def from_file_if_any(path: Path) -> Iterator[AgeIdentity | str]:
    """A place that nobody has named: what is wrong with it matters only when a key is missing in the end."""
    if path.exists():
        try:
            yield from [*from_file(path)]
        except InputError as error:
            yield str(error)


def _parse(text: str, place: str, origin: str) -> Iterator[AgeIdentity | str]:
    numbered = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    if not lines:
        raise InputError.of([Diagnostic.at(place, 0, "holds no Age identity", command("age-keygen -o", place))])
    found = [_identity(place, origin, number, line) for number, line in _first_if_block(lines)]
    if problems := [item for item in found if isinstance(item, Diagnostic)]:
        raise InputError.of(problems)
    yield from (item for item in found if not isinstance(item, Diagnostic))


def _first_if_block(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """One mistaken file of many lines (an SSH key, an encrypted file) is one mistake."""
    return lines[:1] if lines[0][1].startswith(("-----", "age-encryption")) else lines


def _identity(place: str, origin: str, number: int, line: str) -> AgeIdentity | Diagnostic | str:
    for beginning, message, hint in _MISTAKEN:
        if line.startswith(beginning):
            return Diagnostic.at(place, number, message, hint)
    if line.startswith(_PLUGIN):
        return f"{place}:{number} is a plugin's identity, which Flux cannot decrypt with"
    try:
        return AgeIdentity("a post-quantum key" if line.startswith(_POST_QUANTUM) else recipient_of(line), origin, place, line)
    except ValueError:
        return Diagnostic.at(place, number, "is not an Age identity", "an identity is a line that begins with AGE-SECRET-KEY-1")
