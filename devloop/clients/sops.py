"""The one door to Age and SOPS: key pairs through pyrage, encryption through the sops program. Nothing secret touches a disk here."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType

from devloop.clients.process import run
from devloop.clients.signals import defer_signals


def _pyrage() -> ModuleType:
    """The library, which an interrupt while it starts would make panic."""
    with defer_signals():
        return import_module("pyrage")


def new_key_pair() -> tuple[str, str]:
    """A fresh Age key: its public half (age1...) and its private one."""
    identity = _pyrage().x25519.Identity.generate()
    return str(identity.to_public()), str(identity)


def recipient_of(identity: str) -> str:
    """The recipient (age1...) of an X25519 identity; raises ValueError for anything else, without saying what it was."""
    pyrage = _pyrage()
    try:
        return str(pyrage.x25519.Identity.from_str(identity).to_public())
    except pyrage.IdentityError:
        raise ValueError("not an Age identity") from None


def encrypt(program: Path, root: Path, path: str, plaintext: bytes) -> bytes:
    """`plaintext` as SOPS would encrypt the file `path` under `root`, by the rules of the .sops.yaml there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOPS_")}
    return run([program, "encrypt", "--filename-override", path], cwd=root, env=environment, input=plaintext).stdout
