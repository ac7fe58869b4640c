"""A rendered object and the file it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Origin:
    """`path` relative to the repository root ('' unknown), `line` from 1 (0 unknown)."""

    path: str = ""
    line: int = 0


@dataclass(frozen=True)
class Manifest:
    """One object as Flux would apply it. `body` holds masked values for what SOPS encrypted, never decrypted ones.

    `secret` is 'opened' or 'sealed' where SOPS encrypted (a part of) it, the latter when no key opens it. `unknown` are JSON pointers to
    values that hang on variables which cannot be known or must not be shown; there the body says `${NAME}`.
    """

    body: Mapping[str, Any]
    origin: Origin = Origin()
    secret: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return str(self.body.get("apiVersion", ""))

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))

    @property
    def name(self) -> str:
        return str((self.body.get("metadata") or {}).get("name", ""))

    @property
    def namespace(self) -> str:
        return str((self.body.get("metadata") or {}).get("namespace", ""))

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)
