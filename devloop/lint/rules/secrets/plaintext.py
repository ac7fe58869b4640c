"""No secrets in plain text, neither in files nor in rendered objects. Messages name fields, never values."""

import posixpath
import re
from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import command
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import LintContext, location_of
from devloop.model.lint.file_index import Field, FileIndex, is_made_up
from devloop.model.sops.plaintext import clear_fields

# File names that promise encryption: *.enc.yaml, *.sops.json ...
_PROMISE = re.compile(r".+\.(enc|sops)(\.(ya?ml|json|env|ini|txt))?", re.IGNORECASE)
_ENCRYPT = "move it to {0}, then sops encrypt --in-place {0}; change the values, because every clone of the repository has them"


def plaintext(context: LintContext) -> Iterator[Diagnostic]:
    """A Secret has plain-text values: in a file, or rendered by a generator or from a variable."""
    clear = [secret for secret in context.files.secrets if secret.clear]
    for secret in clear:
        shown = [field for field in secret.clear if not _is_private_key(secret.path, field, context.files)]
        if shown and not _promises_encryption(secret.path):
            names = ", ".join(field.name for field in shown)
            location = Location(secret.path, shown[0].line, "Secret", secret.name, namespace=secret.namespace)
            message, hint = "the Secret {secret} is in plain text: {fields}", _ENCRYPT.format(_encrypted_name(secret.path))
            yield Diagnostic.of(message, location, hint, secret=secret.name, fields=names)
    reported = {(secret.path, field.name) for secret in clear for field in secret.clear}
    for kustomization, manifest in context.manifests:
        is_secret = (manifest.kind, manifest.api_version) == ("Secret", "v1") and not manifest.release  # charts generate passwords
        path = manifest.origin.path
        found = clear_fields(manifest.body, manifest.unknown) if is_secret else ()
        fields = [field for field in found if (path, ".".join(field)) not in reported]
        if fields and not _promises_encryption(path):
            message = "the Secret {secret} is rendered with values that are in plain text in the repository: {fields}"
            hint = "take them from an encrypted file, or from a variable that an encrypted Secret defines"
            place = location_of(manifest, *fields[0]) if path else None
            names = ", ".join(map(".".join, fields))
            yield kustomization.diagnostic(message, hint=hint, location=place, secret=manifest.name, fields=names)


def _is_private_key(path: str, field: Field, files: FileIndex) -> bool:
    """Whether secrets/private-key has the field: its value starts in the field's line or the next one."""
    return any(key.path == path and key.line in (field.line, field.line + 1) for key in files.private_keys)


def not_encrypted(context: LintContext) -> Iterator[Diagnostic]:
    """A file is named *.enc.yaml or *.sops.yaml but is not encrypted."""
    files = context.files
    for path in files.paths:
        if _promises_encryption(path) and path not in files.encrypted and _is_readable(path, files):
            secrets = [secret for secret in files.secrets if secret.path == path]
            fields = ", ".join(field.name for secret in secrets for field in secret.clear)
            more = ": {fields}" if fields else "; its values are still placeholders" if secrets else ""
            message, hint = "is named like an encrypted file but is not encrypted" + more, command("sops encrypt --in-place", path)
            yield Diagnostic.of(message, Location(path, 1), hint, fields=fields)


def _is_readable(path: str, files: FileIndex) -> bool:
    return path not in files.unreadable and path not in files.empty and not is_made_up(path)


def private_key(context: LintContext) -> Iterator[Diagnostic]:
    """A private key that is not protected by a passphrase."""
    hint = "also remove it from the Git history, and replace it where it was in use: every clone of the repository has the key"
    for key in context.files.private_keys:
        yield Diagnostic.of("the repository contains a private key ({type})", Location(key.path, key.line), hint, type=key.kind)


def _promises_encryption(path: str) -> bool:
    return bool(_PROMISE.fullmatch(posixpath.basename(path)))


def _encrypted_name(path: str) -> str:
    """secret.yaml -> secret.enc.yaml."""
    stem, suffix = posixpath.splitext(path)
    return f"{stem}.enc{suffix}"


RULES: Rules = {
    "secrets/plaintext": Rule(
        plaintext,
        Severity.ERROR,
        "everyone who can read the repository, or its history, has the values of the Secret",
        "encrypt the Secret with SOPS, or take its values from variables of an encrypted one; then change the values",
    ),
    "secrets/not-encrypted": Rule(
        not_encrypted,
        Severity.ERROR,
        "people and tools trust that a file named like *.enc.yaml is safe to share",
        "encrypt the file with `sops encrypt --in-place`, or rename it",
    ),
    "secrets/private-key": Rule(
        private_key,
        Severity.ERROR,
        "everyone with a clone of the repository can use the key to decrypt or sign",
        "keep keys outside the repository, and replace keys that were in it",
    ),
}
