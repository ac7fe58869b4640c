"""No secret in clear: neither in a file nor in what an environment renders. Values never get into a message, only the names of fields."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import command
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.file_index import FileIndex, SecretText, is_made_up
from devloop.model.sops.plaintext import clear_fields

# The names that promise encryption: *.enc.yaml, *.sops.json ...
_PROMISE = re.compile(r".+\.(enc|sops)(\.(ya?ml|json|env|ini|txt))?", re.IGNORECASE)


def plaintext(subject: LintContext) -> Iterator[Diagnostic]:
    """A Secret says its values, in a file or in what a generator or a variable made of it."""
    lying = {secret.path: secret for secret in subject.files.secrets if secret.clear}
    for secret in subject.files.secrets:
        if secret.clear and not promises_encryption(secret.path):
            yield _lying(secret)
    for unit, manifest in subject.manifests:
        if _is_secret(manifest) and manifest.origin.path not in lying:
            yield from _rendered(unit, manifest)


def _is_secret(manifest: Manifest) -> bool:
    """Charts make up passwords as they are rendered, so their Secrets say nothing of what stands in the repository."""
    return (manifest.kind, manifest.api_version) == ("Secret", "v1") and not manifest.release


def _lying(secret: SecretText) -> Diagnostic:
    names = ", ".join(field.name for field in secret.clear)
    place = Location(secret.path, secret.clear[0].line, "Secret", secret.name, namespace=secret.namespace)
    return Diagnostic(f"the Secret {secret.name} is in clear: {names}", place, _ENCRYPT.format(encrypted_name(secret.path)))


def _rendered(unit: KustomizationContext, manifest: Manifest) -> Iterator[Diagnostic]:
    if promises_encryption(manifest.origin.path):
        return
    if fields := [*clear_fields(manifest.body, manifest.unknown)]:
        names = ", ".join(map(".".join, fields))
        message = f"the Secret {manifest.name} is rendered with values that are in clear in the repository: {names}"
        hint = "take them from an encrypted file or from a variable that an encrypted Secret defines"
        yield unit.about(manifest, message, *fields[0], hint=hint) if manifest.origin.path else unit.diagnostic(message, hint=hint)


def not_encrypted(subject: LintContext) -> Iterator[Diagnostic]:
    """A file is called *.enc.yaml or *.sops.yaml and is not encrypted."""
    for path in subject.files.paths:
        if promises_encryption(path) and path not in subject.files.encrypted and _is_known(path, subject.files):
            message = f"is named as an encrypted file and is not encrypted{_content(path, subject.files)}"
            yield Diagnostic(message, Location(path, 1), command("sops encrypt --in-place", path))


def _content(path: str, files: FileIndex) -> str:
    """What stands in it, where that is a Secret."""
    secrets = [secret for secret in files.secrets if secret.path == path]
    clear = ", ".join(field.name for secret in secrets for field in secret.clear)
    return f": {clear}" if clear else "; its values are placeholders so far" if secrets else ""


def _is_known(path: str, files: FileIndex) -> bool:
    return path not in files.unreadable and path not in files.empty and not is_made_up(path)


def private_key(subject: LintContext) -> Iterator[Diagnostic]:
    """A private key that opens something as it stands there."""
    hint = "take it out of the history of Git too, and replace it where it was in use: whoever has a clone has the key"
    for key in subject.files.private_keys:
        yield Diagnostic(f"{key.article} {key.kind} private key lies in the repository", Location(key.path, key.line), hint)


def promises_encryption(path: str) -> bool:
    return bool(_PROMISE.fullmatch(posixpath.basename(path)))


def encrypted_name(path: str) -> str:
    """secret.yaml -> secret.enc.yaml."""
    stem, suffix = posixpath.splitext(path)
    return f"{stem}.enc{suffix}"


_ENCRYPT = "move it to {0}, then sops encrypt --in-place {0}; whoever has a clone has the values, so change them"

RULES: Rules = {
    "secrets/plaintext": Rule(
        plaintext,
        Severity.ERROR,
        "everybody who can read the repository, or its history, has the values of a Secret in clear",
        "encrypt the Secret with SOPS, or take its values from variables of an encrypted one; then change the values themselves",
    ),
    "secrets/not-encrypted": Rule(
        not_encrypted,
        Severity.ERROR,
        "a name like *.enc.yaml makes people and tools believe that the file is safe to share",
        "encrypt the file with `sops encrypt --in-place`, or give it another name",
    ),
    "secrets/private-key": Rule(
        private_key,
        Severity.ERROR,
        "a private key opens or signs everything that it was made for, for everybody who has a clone",
        "keep keys outside of the repository, and replace one that was in it",
    ),
}
