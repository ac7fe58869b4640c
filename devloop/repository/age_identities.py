"""Parses Age identities from files and variables: one per line, `#` for comments. Errors name the line, never its content."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devloop.clients.sops import recipient_of
from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.hint import Hint, command, instructions

_SSH = (
    "is an SSH key, which Flux cannot decrypt with",
    instructions(command("age-keygen -o FILE"), ", and add its public key to .sops.yaml"),
)
_PASSPHRASE = ("is protected by a passphrase", "run age --decrypt -o FILE on it, and use FILE")
# The beginnings of lines that are not identities; their messages and hints.
_MISTAKES: Mapping[str, tuple[str, Hint]] = {
    "age1": ("is a public key, not an identity", "an identity begins with AGE-SECRET-KEY-1"),
    "ssh-": _SSH,
    "-----BEGIN OPENSSH": _SSH,
    "-----BEGIN AGE": _PASSPHRASE,
    "age-encryption.org/": _PASSPHRASE,
}


@dataclass(frozen=True)
class AgeIdentity:
    """`origin` says where it was found, `source` is the file or variable; nothing shows `private`."""

    public: str
    origin: str
    source: str
    private: str = field(repr=False)


@dataclass(frozen=True)
class Identities:
    """All identities that were found; `skipped` says why other sources gave none."""

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
        """The private keys, one per line; never print it."""
        return "".join(f"{identity.private}\n" for identity in self.found)


def from_variable(name: str) -> Iterator[AgeIdentity | str]:
    """The identities in an environment variable, and what was skipped as text; raises InputError if it holds none."""
    if text := os.environ.get(name, "").strip():
        yield from _parse(text, name, name)


def from_file(path: Path, named_by: str = "") -> Iterator[AgeIdentity | str]:
    """The identities in a file, and what was skipped as text; raises InputError if it holds none."""
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError as error:
        hint = f"its path comes from {named_by}" if named_by else ""
        raise InputError.of([Diagnostic.at(str(path), 0, f"the Age key file cannot be read: {error.strerror}", hint)]) from None
    yield from _parse(text, str(path), f"{named_by} {path}".strip())


def from_file_if_any(path: Path) -> Iterator[AgeIdentity | str]:
    """A default path: its problems are skipped, and matter only if a key is missing in the end."""
    if path.exists():
        try:
            yield from [*from_file(path)]
        except InputError as error:
            yield str(error)


def _parse(text: str, source: str, origin: str) -> Iterator[AgeIdentity | str]:
    numbered = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    if not lines:
        raise InputError.of([Diagnostic.at(source, 0, "holds no Age identity", command("age-keygen -o", source))])
    if lines[0][1].startswith(("-----", "age-encryption")):  # a whole SSH key or encrypted file is one mistake
        lines = lines[:1]
    items = [_identity(source, origin, number, line) for number, line in lines]
    if problems := [item for item in items if isinstance(item, Diagnostic)]:
        raise InputError.of(problems)
    yield from (item for item in items if not isinstance(item, Diagnostic))


def _identity(source: str, origin: str, number: int, line: str) -> AgeIdentity | Diagnostic | str:
    for beginning, mistake in _MISTAKES.items():
        if line.startswith(beginning):
            return Diagnostic.at(source, number, *mistake)
    if line.startswith("AGE-PLUGIN-"):
        return f"{source}:{number} is the identity of a plugin, which Flux cannot decrypt with"
    try:
        return AgeIdentity("a post-quantum key" if line.startswith("AGE-SECRET-KEY-PQ-1") else recipient_of(line), origin, source, line)
    except ValueError:
        return Diagnostic.at(source, number, "is not an Age identity", "an identity is a line that begins with AGE-SECRET-KEY-1")
