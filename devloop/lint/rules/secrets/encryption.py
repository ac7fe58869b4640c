"""What SOPS encrypted is whole, and is decrypted where it is applied. No key is needed to tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import command, instructions
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.kubernetes.manifest import mapping_at
from devloop.model.lint.context import LintContext
from devloop.model.re2 import compiled
from devloop.model.sops.plaintext import decoded, is_clear
from devloop.model.yaml.scalars import Leaf

# What SOPS leaves alone when nothing says otherwise, https://getsops.io/docs/#encrypting-only-parts-of-a-file.
_DEFAULT_SUFFIX = "_unencrypted"
_NAMED = {"encrypted_regex", "encrypted_suffix"}
# Without these in clear no object could be applied.
_ALWAYS_CLEAR = ("apiVersion", "kind", "metadata")
_BY_COMMENT = ("encrypted_comment_regex", "unencrypted_comment_regex")


def left_in_clear(subject: LintContext) -> Iterator[Diagnostic]:
    """A field of an encrypted file is in clear although SOPS would have encrypted it."""
    for path, secret in subject.files.encrypted.items():
        rule = subject.files.rule_for(path)
        wanted = [secret.settings, *([rule.settings] if rule and _NAMED & rule.settings.keys() else [])]
        for leaf in secret.data:
            if _may_be_secret(leaf) and (any(_encrypts(settings, leaf) for settings in wanted) or _is_value(leaf)):
                hint = _ADD if _encrypts(secret.settings, leaf) else _ANEW
                yield Diagnostic(f"{'.'.join(leaf.path)} is in clear in an encrypted file", Location(path, leaf.line), hint.format(path))


_ADD = "take the field out of the file, then write it again with sops {0}"
_ANEW = "the file's own settings leave the field out: sops decrypt --in-place {0}, then sops encrypt --in-place {0}"


def _may_be_secret(leaf: Leaf) -> bool:
    """SOPS encrypts neither an empty text nor nothing."""
    return not leaf.encrypted and leaf.value not in ("", "null", "~", "Null", "NULL")


def _is_value(leaf: Leaf) -> bool:
    """A value of a Kubernetes Secret, whatever the settings say."""
    return len(leaf.path) == 2 and leaf.path[0] in ("data", "stringData") and is_clear(leaf.path[1], decoded(leaf.path[0], leaf.value))


def _encrypts(settings: Mapping[str, str], leaf: Leaf) -> bool:
    """Whether SOPS encrypts the leaf under these settings; not where comments decide, which are not read here."""
    if any(name in settings for name in _BY_COMMENT):
        return False
    if pattern := settings.get("encrypted_regex"):
        return _found(pattern, leaf)
    if suffix := settings.get("encrypted_suffix"):
        return any(key.endswith(suffix) for key in leaf.path)
    if leaf.path[0] in _ALWAYS_CLEAR:
        return False
    if pattern := settings.get("unencrypted_regex"):
        return not _found(pattern, leaf)
    suffix = settings.get("unencrypted_suffix", _DEFAULT_SUFFIX)
    return not any(key.endswith(suffix) for key in leaf.path)


def _found(pattern: str, leaf: Leaf) -> bool:
    try:
        return any(map(compiled(pattern).search, leaf.path))
    except ValueError:
        return False


def no_mac(subject: LintContext) -> Iterator[Diagnostic]:
    """The authentication code of an encrypted file is gone."""
    for path, secret in subject.files.encrypted.items():
        if not secret.has_mac:
            message = "has no message authentication code (mac): Flux takes it for a file that is not encrypted"
            yield Diagnostic(
                message,
                Location(path, 1),
                instructions(
                    command("sops decrypt --ignore-mac --in-place", path),
                    ", then ",
                    command("sops encrypt --in-place", path),
                ),
            )


def decryption_missing(subject: LintContext) -> Iterator[Diagnostic]:
    """A Kustomization reaches an encrypted file and does not decrypt."""
    for unit in subject.units:
        kustomization = unit.node.kustomization
        if unit.node.encrypted and mapping_at(kustomization.spec, "decryption").get("provider") != "sops":
            files = ", ".join(unit.node.encrypted)
            message = f"{kustomization.id} applies encrypted files without decrypting them: {files}"
            yield unit.diagnostic(message, hint="add `decryption: {provider: sops, secretRef: {name: sops-age}}` to its spec")


RULES: Rules = {
    "secrets/left-in-clear": Rule(
        left_in_clear,
        Severity.ERROR,
        "a value that was pasted into an encrypted file, or that its settings do not cover, is in clear beside the others",
        "take the field out and add it with sops, and let encrypted_regex cover data and stringData",
    ),
    "secrets/no-mac": Rule(
        no_mac,
        Severity.ERROR,
        "without its message authentication code Flux applies the encrypted text itself",
        "decrypt the file with `sops decrypt --ignore-mac --in-place`, and encrypt it again",
    ),
    "secrets/decryption-missing": Rule(
        decryption_missing,
        Severity.ERROR,
        "Flux refuses an encrypted object where the Kustomization does not decrypt",
        "add spec.decryption with provider sops to the Kustomization",
    ),
}
