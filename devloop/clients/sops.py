"""Age key pairs (pyrage) and SOPS encryption (the sops program), without secrets on disk."""

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType

from devloop.clients.process import run
from devloop.clients.signals import defer_signals


def _pyrage() -> ModuleType:
    """The library, which panics if a signal interrupts its import."""
    with defer_signals():
        return import_module("pyrage")


def new_key_pair() -> tuple[str, str]:
    """A new Age key pair: public (age1...) and private key."""
    identity = _pyrage().x25519.Identity.generate()
    return str(identity.to_public()), str(identity)


def recipient_of(identity: str) -> str:
    """The recipient (age1...) of an X25519 identity; raises ValueError, without its content, for anything else."""
    pyrage = _pyrage()
    try:
        return str(pyrage.x25519.Identity.from_str(identity).to_public())
    except pyrage.IdentityError:
        raise ValueError("not an Age identity") from None


def encrypt(program: Path, root: Path, path: str, plaintext: bytes) -> bytes:
    """`plaintext` encrypted as the file `path` in `root`, by the creation rules of .sops.yaml."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOPS_")}
    return run([program, "encrypt", "--filename-override", path], cwd=root, env=environment, input=plaintext).stdout
