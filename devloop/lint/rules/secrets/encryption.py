"""Files that SOPS encrypted are complete, and are decrypted where they are applied. Needs no key."""

from collections.abc import Iterator, Mapping

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import command, instructions
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.kubernetes.manifest import mapping_at
from devloop.model.lint.context import LintContext
from devloop.model.re2 import compiled
from devloop.model.sops.creation_rules import EncryptedSecret
from devloop.model.sops.plaintext import decoded, is_clear
from devloop.model.yaml.scalars import Leaf

# SOPS's default, https://getsops.io/docs/#encrypting-only-parts-of-a-file.
_DEFAULT_SUFFIX = "_unencrypted"
_NAMED = {"encrypted_regex", "encrypted_suffix"}
# Flux reads these before it decrypts.
_ALWAYS_CLEAR = ("apiVersion", "kind", "metadata")
_BY_COMMENT = ("encrypted_comment_regex", "unencrypted_comment_regex")

_EDIT = "remove the field from the file, then add it again with sops {0}"
_RE_ENCRYPT = "the settings in the file exclude the field: sops decrypt --in-place {0}, then sops encrypt --in-place {0}"


_DECRYPT = "add `decryption: {provider: sops, secretRef: {name: sops-age}}` to its spec"
_DECRYPT_WITH_OWN = "add `decryption: {provider: sops}` to its spec"


def left_in_clear(context: LintContext) -> Iterator[Diagnostic]:
    """A field of an encrypted file is in plain text although SOPS would have encrypted it."""
    for path, secret in context.files.encrypted.items():
        rule = context.files.rule_for(path)
        is_secret = _holds_secret(secret)
        wanted = [secret.settings, *([rule.settings] if rule and _NAMED & rule.settings.keys() else [])]
        for leaf in secret.data:
            if _may_be_secret(leaf) and (any(_encrypts(settings, leaf) for settings in wanted) or (is_secret and _is_value(leaf))):
                hint = (_EDIT if _encrypts(secret.settings, leaf) else _RE_ENCRYPT).format(path)
                message, field = "{field} is in plain text in an encrypted file", ".".join(leaf.path)
                yield Diagnostic.of(message, Location(path, leaf.line), hint, field=field)


def _may_be_secret(leaf: Leaf) -> bool:
    """SOPS encrypts neither empty text nor null."""
    return not leaf.encrypted and leaf.value not in ("", "null", "~", "Null", "NULL")


def _holds_secret(secret: EncryptedSecret) -> bool:
    """Has a Kubernetes Secret, or an object whose kind is encrypted; other kinds may be encrypted in part."""
    return any(leaf.path[-1] == "kind" and (leaf.encrypted or leaf.value == "Secret") for leaf in secret.data if leaf.path)


def _is_value(leaf: Leaf) -> bool:
    """A value of a Kubernetes Secret, regardless of the settings."""
    return len(leaf.path) == 2 and leaf.path[0] in ("data", "stringData") and is_clear(leaf.path[1], decoded(leaf.path[0], leaf.value))


def _encrypts(settings: Mapping[str, str], leaf: Leaf) -> bool:
    """Whether SOPS encrypts the leaf with these settings; False if that depends on comments, which are not read."""
    if any(name in settings for name in _BY_COMMENT):
        return False
    if pattern := settings.get("encrypted_regex"):
        return _matches(pattern, leaf)
    if suffix := settings.get("encrypted_suffix"):
        return any(key.endswith(suffix) for key in leaf.path)
    if leaf.path[0] in _ALWAYS_CLEAR:
        return False
    if pattern := settings.get("unencrypted_regex"):
        return not _matches(pattern, leaf)
    suffix = settings.get("unencrypted_suffix", _DEFAULT_SUFFIX)
    return not any(key.endswith(suffix) for key in leaf.path)


def _matches(pattern: str, leaf: Leaf) -> bool:
    try:
        return any(map(compiled(pattern).search, leaf.path))
    except ValueError:
        return False


def no_mac(context: LintContext) -> Iterator[Diagnostic]:
    for path, secret in context.files.encrypted.items():
        if not secret.has_mac:
            message = "has no message authentication code (mac): Flux treats it as not encrypted"
            decrypt, encrypt = command("sops decrypt --ignore-mac --in-place", path), command("sops encrypt --in-place", path)
            yield Diagnostic.of(message, Location(path, 1), instructions(decrypt, ", then ", encrypt))


def encrypted_list(context: LintContext) -> Iterator[Diagnostic]:
    """A List that was encrypted as a whole: kustomize splits it, and its objects have no SOPS metadata of their own."""
    for kustomization in context.kustomizations:
        for path in kustomization.node.encrypted:
            secret = context.files.encrypted.get(path)
            line = _line_of_list(secret) if secret else 0
            if line:
                message = "is a List: Flux splits it before it decrypts, and applies the encrypted text of its objects"
                hint = "decrypt it, write each object as a document of its own, separated by ---, and encrypt it again"
                yield kustomization.diagnostic(message, hint=hint, location=Location(path, line))


def _line_of_list(secret: EncryptedSecret) -> int:
    """The line of `kind: List` (or SecretList ...) over items with encrypted values; 0 for other files."""
    sealed = any(leaf.path[0] == "items" for leaf in secret.encrypted_data)
    return next((leaf.line for leaf in secret.data if sealed and leaf.path == ("kind",) and leaf.value.endswith("List")), 0)


def decryption_missing(context: LintContext) -> Iterator[Diagnostic]:
    for kustomization in context.kustomizations:
        encrypted = kustomization.node.encrypted
        if encrypted and mapping_at(kustomization.spec, "decryption").get("provider") != "sops":
            message = "{kustomization} applies encrypted files without decrypting them: {paths}"
            own = kustomization.environment.graph.setup.age_secret
            hint = f"{_DECRYPT_WITH_OWN}: the controller has keys in {own}" if own else _DECRYPT
            yield kustomization.diagnostic(message, hint=hint, paths=", ".join(encrypted))


RULES: Rules = {
    "secrets/left-in-clear": Rule(
        left_in_clear,
        Severity.ERROR,
        "values that were pasted into an encrypted file, or that its settings exclude, stay in plain text",
        "remove the field and add it with sops, and make encrypted_regex match data and stringData",
    ),
    "secrets/no-mac": Rule(
        no_mac,
        Severity.ERROR,
        "without a message authentication code Flux applies the encrypted text as it is",
        "decrypt the file with `sops decrypt --ignore-mac --in-place`, and encrypt it again",
    ),
    "secrets/encrypted-list": Rule(
        encrypted_list,
        Severity.ERROR,
        "Flux becomes ready, and the cluster has the encrypted text instead of the values",
        "write the objects of the List as documents of their own, and encrypt the file again",
    ),
    "secrets/decryption-missing": Rule(
        decryption_missing,
        Severity.ERROR,
        "Flux rejects encrypted objects that the Kustomization does not decrypt, or puts the encrypted text into the cluster",
        "add spec.decryption with provider sops to the Kustomization",
    ),
}
