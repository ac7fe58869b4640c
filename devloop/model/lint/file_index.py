"""Facts about the repository's files that no build tells: what is encrypted, what looks secret, what refers to what. No I/O.

All paths are relative to the repository root. Values that may be secret stay with whoever reads the files: here are only places.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from devloop.model.sops.creation_rules import CreationRule, CreationRules, EncryptedSecret

# Nothing of these is deployed, and what looks secret there is made up.
_MADE_UP = frozenset({"test", "tests", "testdata", "fixtures", "example", "examples", "sample", "samples", "templates", "node_modules"})


@dataclass(frozen=True)
class Field:
    """A field of a file, as `stringData.password`, and its line from 1."""

    name: str
    line: int


@dataclass(frozen=True)
class SecretText:
    """A Kubernetes Secret as it stands in a file: `clear` are the fields whose values are in clear and no placeholders."""

    path: str
    line: int
    namespace: str
    name: str
    clear: tuple[Field, ...] = ()


@dataclass(frozen=True)
class PrivateKey:
    """A private key in a file; `kind` says which: Age, SSH, RSA, EC ..."""

    path: str
    line: int
    kind: str

    @property
    def article(self) -> str:
        """As one says an EC and a PEM key."""
        return "an" if self.kind in ("Age", "EC", "ED25519", "RSA", "SSH") else "a"


@dataclass(frozen=True)
class Reference:
    """A kustomization.yaml that names a file or a folder outside of its own; `target` is there."""

    path: str
    line: int
    target: str


@dataclass(frozen=True)
class Variable:
    """A `${NAME}` in a file, once per name; `default` says that one of its uses has a default."""

    name: str
    line: int
    default: bool = False


@dataclass(frozen=True)
class FileIndex:
    """`paths` are all files that Git would take, sorted. `encrypted` are those that SOPS encrypted. `rotation` are those that speak of
    rotating keys. `empty` and `unreadable` (too large) files have no other facts.
    `policy_rules` are those that hold a PolicyRule."""

    paths: tuple[str, ...] = ()
    encrypted: Mapping[str, EncryptedSecret] = field(default_factory=dict)
    creation_rules: tuple[CreationRules, ...] = ()
    secrets: tuple[SecretText, ...] = ()
    private_keys: tuple[PrivateKey, ...] = ()
    references: tuple[Reference, ...] = ()
    variables: Mapping[str, tuple[Variable, ...]] = field(default_factory=dict)
    rotation: tuple[str, ...] = ()
    empty: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    policy_rules: tuple[str, ...] = ()

    def rules_for(self, path: str) -> CreationRules | None:
        """The .sops.yaml that SOPS would find for `path`: the nearest in its folder or above."""
        holders = {posixpath.dirname(rules.path): rules for rules in self.creation_rules}
        return next((holders[folder] for folder in above(path) if folder in holders), None)

    def rule_for(self, path: str) -> CreationRule | None:
        """The rule of the nearest .sops.yaml that is for `path`."""
        rules = self.rules_for(path)
        return rules.rule_for(posixpath.relpath(path, posixpath.dirname(rules.path) or ".")) if rules else None


def is_made_up(path: str) -> bool:
    """Whether a file is there to show or to test something."""
    return not _MADE_UP.isdisjoint(path.lower().split("/"))


def above(path: str) -> Iterable[str]:
    """The folders that hold `path`, the nearest first, down to '' for the root."""
    while path:
        path = posixpath.dirname(path)
        yield path
