"""Facts about the repository's files that builds do not have: encryption, possible secrets, references, objects. No I/O.

Paths are relative to the repository root. Has only the locations of possible secrets, never their values.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from devloop.model.sops.creation_rules import CreationRule, CreationRules, EncryptedSecret

# Folders that are not deployed and have no real secrets.
_EXAMPLES = frozenset({"test", "tests", "testdata", "fixtures", "example", "examples", "sample", "samples", "templates", "node_modules"})
# Folders that are kept or explain something.
_KEPT = frozenset({"archive", "archived", "archives", "attic", "deprecated", "doc", "docs", "template", "unused"})


@dataclass(frozen=True)
class Field:
    """A field of a file like `stringData.password`, and its line from 1."""

    name: str
    line: int


@dataclass(frozen=True)
class SecretText:
    """A Secret in a file; `clear` are its fields in plaintext, except placeby_folder."""

    path: str
    line: int
    namespace: str
    name: str
    clear: tuple[Field, ...] = ()


@dataclass(frozen=True)
class FluxDocument:
    """A Flux Kustomization in a file, as written; a patch of one counts too."""

    path: str
    line: int
    name: str


@dataclass(frozen=True)
class PrivateKey:
    """`kind` is Age, SSH, RSA, EC ..."""

    path: str
    line: int
    kind: str


@dataclass(frozen=True)
class Reference:
    """A kustomization.yaml refers to `target`, a file or folder outside its own folder."""

    path: str
    line: int
    target: str


@dataclass(frozen=True)
class ObjectText:
    """A Namespace, ServiceAccount, ConfigMap or Secret in a YAML file; the namespace as written."""

    path: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Variable:
    """The `${NAME}` of a file, once per name; `default`: at least one has a default."""

    name: str
    line: int
    default: bool = False


@dataclass(frozen=True)
class FileIndex:
    """`paths` are all files that Git does not ignore, sorted; `rotation` are documents about rotating keys, `policy_rules` files with a
    PolicyRule. `empty` and `unreadable` (too large) files have no other facts."""

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
    objects: tuple[ObjectText, ...] = ()
    kustomizations: tuple[FluxDocument, ...] = ()

    def rules_for(self, path: str) -> CreationRules | None:
        """The .sops.yaml that SOPS uses for `path`: the nearest in its folder or above."""
        by_folder = {posixpath.dirname(rules.path): rules for rules in self.creation_rules}
        return next((by_folder[folder] for folder in above(path) if folder in by_folder), None)

    def rule_for(self, path: str) -> CreationRule | None:
        """The creation rule for `path`."""
        rules = self.rules_for(path)
        return rules.rule_for(posixpath.relpath(path, posixpath.dirname(rules.path) or ".")) if rules else None


def is_made_up(path: str) -> bool:
    """Whether a file is an example or a test."""
    return not _EXAMPLES.isdisjoint(path.lower().split("/"))


def is_aside(path: str) -> bool:
    """Whether a path leads through an example, a test, an archive, documents or a hidden folder: no environment unless one is named."""
    parts = path.lower().split("/")
    return is_made_up(path) or not _KEPT.isdisjoint(parts) or any(part.startswith(".") and part != "." for part in parts)


def above(path: str) -> Iterable[str]:
    """The folders above `path`, the nearest first, up to '' for the root, or '/' for an absolute path."""
    while path not in ("", "/"):
        path = posixpath.dirname(path)
        yield path
