"""What SOPS encrypted is whole, is for those whom .sops.yaml names, and is decrypted where it is applied. No key is needed to tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from devloop.model.files import Files
from devloop.model.leaves import Leaf
from devloop.model.place import Fault, Place
from devloop.model.placeholder import decoded, is_clear
from devloop.model.report import Severity
from devloop.model.secret import CreationRule, EncryptedSecret
from devloop.model.subject import Inspected, Subject
from devloop.rules.rule import Rule, Rules

# What SOPS leaves alone when nothing says otherwise, https://getsops.io/docs/#encrypting-only-parts-of-a-file.
_DEFAULT_SUFFIX = "_unencrypted"
_NAMED = {"encrypted_regex", "encrypted_suffix"}
_BY_COMMENT = ("encrypted_comment_regex", "unencrypted_comment_regex")


def left_in_clear(subject: Subject) -> Iterator[Fault]:
    """A field of an encrypted file is in clear although SOPS would have encrypted it."""
    for path, secret in subject.files.encrypted.items():
        rule = subject.files.rule_for(path)
        wanted = [secret.settings, *([rule.settings] if rule and _NAMED & rule.settings.keys() else [])]
        for leaf in secret.data:
            if _may_be_secret(leaf) and (any(_encrypts(settings, leaf) for settings in wanted) or _is_value(leaf)):
                message = f"{'.'.join(leaf.path)} is in clear in an encrypted file"
                yield Fault(message, Place(path, leaf.line), f"sops encrypt does it anew: sops --ignore-mac {path}, then save")


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
    if pattern := settings.get("unencrypted_regex"):
        return not _found(pattern, leaf)
    suffix = settings.get("unencrypted_suffix", _DEFAULT_SUFFIX)
    return not any(key.endswith(suffix) for key in leaf.path)


def _found(pattern: str, leaf: Leaf) -> bool:
    try:
        return any(re.search(pattern, key) for key in leaf.path)
    except re.error:
        return False


def recipients(subject: Subject) -> Iterator[Fault]:
    """A file is encrypted for others than .sops.yaml says now."""
    for path, secret in subject.files.encrypted.items():
        rule = subject.files.rule_for(path)
        if rule and _is_filled_in(rule):
            hint = f"sops updatekeys {path}"
            for recipient in sorted({*rule.age_recipients} - {*secret.age_recipients}):
                yield Fault(f"{recipient} is a recipient in .sops.yaml and cannot open the file", Place(path, 1), hint)
            for recipient in sorted({*secret.age_recipients} - {*rule.age_recipients}):
                yield Fault(f"{recipient} can open the file and is no recipient of it in .sops.yaml", Place(path, 1), hint)


def _is_filled_in(rule: CreationRule) -> bool:
    """A template's rule has a placeholder in place of a recipient; one without any key takes those of the command line."""
    return bool(rule.age_recipients or rule.services) and all(name.startswith(("age1", "ssh-")) for name in rule.age_recipients)


def no_rule(subject: Subject) -> Iterator[Fault]:
    """A file is encrypted and no rule of .sops.yaml is for it."""
    for path in subject.files.encrypted:
        if subject.files.rules_for(path) and not subject.files.rule_for(path):
            message = "is encrypted, but no rule of .sops.yaml is for it: the next one to edit it cannot encrypt it again"
            yield Fault(message, Place(path, 1), "add a creation rule whose path_regex matches it")


def no_mac(subject: Subject) -> Iterator[Fault]:
    """The authentication code of an encrypted file is gone."""
    for path, secret in subject.files.encrypted.items():
        if not secret.has_mac:
            message = "has no message authentication code (mac): Flux takes it for a file that is not encrypted"
            yield Fault(message, Place(path, 1), f"sops --ignore-mac {path}, then save")


def key_service(subject: Subject) -> Iterator[Fault]:
    """Only a key service opens the file."""
    for path, secret in subject.files.encrypted.items():
        if secret.services and not secret.age_recipients and secret.services != ("Age",):
            names = ", ".join(name for name in secret.services if name != "Age")
            yield Fault(f"{names} cannot be asked here: the values of the file stay unknown", Place(path, 1), _ADD_AGE.format(path))


_ADD_AGE = "an Age recipient in .sops.yaml opens it locally too: add one, then sops updatekeys {}"


def decryption_missing(subject: Subject) -> Iterator[Fault]:
    """A Kustomization reaches an encrypted file and does not decrypt."""
    for unit in subject.units:
        kustomization = unit.node.kustomization
        provider = (kustomization.spec.get("decryption") or {}).get("provider")
        if unit.node.encrypted and provider != "sops":
            files = ", ".join(unit.node.encrypted)
            message = f"{kustomization.id} applies encrypted files without decrypting them: {files}"
            yield unit.fault(message, hint="add `decryption: {provider: sops, secretRef: {name: sops-age}}` to its spec")


def own_recipient(subject: Subject) -> Iterator[Fault]:
    """An environment's secrets can all be opened with another environment's keys."""
    keys = {inspected.environment.name: _recipients(inspected, subject.files) for inspected in subject.environments}
    for inspected in subject.environments:
        name = inspected.environment.name
        others = {other: found for other, found in keys.items() if other != name and keys[name] <= found}
        if keys[name] and others:
            message = f"the environment {name} has no recipient of its own: the keys of {', '.join(sorted(others))} open its secrets"
            yield inspected.fault(message, _rule_place(inspected, subject.files), hint=_OWN_KEY)


_OWN_KEY = "age-keygen a key for it, give its path a creation rule of its own in .sops.yaml, then sops updatekeys its files"


def _recipients(inspected: Inspected, files: Files) -> frozenset[str]:
    """Who can open what the environment reaches in its own folder; where that is nothing, all that it reaches."""
    entry = inspected.environment.entry_path + "/"
    reached = [path for path in inspected.graph.encrypted if path in files.encrypted]
    own = [path for path in reached if path.startswith(entry)]
    return frozenset(name for path in own or reached for name in files.encrypted[path].age_recipients)


def _rule_place(inspected: Inspected, files: Files) -> Place:
    [path, *_] = [path for path in inspected.graph.encrypted if path in files.encrypted]
    rules, rule = files.rules_for(path), files.rule_for(path)
    return Place(rules.path, rule.line) if rules and rule else Place(path, 1)


def rotation(subject: Subject) -> Iterator[Fault]:
    """Secrets are encrypted, and nothing in the repository says how their keys are changed."""
    encrypted: Mapping[str, EncryptedSecret] = subject.files.encrypted
    if encrypted and not subject.files.rotation:
        rules = subject.files.rules_for(next(iter(encrypted)))
        place = Place(rules.path, 1) if rules else Place(next(iter(encrypted)), 1)
        yield Fault("no document of the repository says how keys and secrets are rotated", place, "write it down in README.md")


RULES: Rules = {
    "secrets/left-in-clear": Rule(
        left_in_clear,
        Severity.ERROR,
        "a value that was pasted into an encrypted file, or that its settings do not cover, is in clear beside the others",
        "open the file with sops and save it again, and let encrypted_regex cover data and stringData",
    ),
    "secrets/no-mac": Rule(
        no_mac,
        Severity.ERROR,
        "without its message authentication code Flux applies the encrypted text itself",
        "open the file with `sops --ignore-mac` and save it again",
    ),
    "secrets/decryption-missing": Rule(
        decryption_missing,
        Severity.ERROR,
        "Flux refuses an encrypted object where the Kustomization does not decrypt",
        "add spec.decryption with provider sops to the Kustomization",
    ),
    "secrets/recipients": Rule(
        recipients,
        Severity.WARNING,
        "whoever was added cannot open the file, and whoever was removed still can",
        "run `sops updatekeys` on the file; where somebody was removed, rotate its data key and its values too",
    ),
    "secrets/no-rule": Rule(
        no_rule,
        Severity.WARNING,
        "the next one to edit the file cannot encrypt it again",
        "add a creation rule to .sops.yaml whose path_regex matches the file",
    ),
    "secrets/own-recipient": Rule(
        own_recipient,
        Severity.WARNING,
        "whoever has the key of one environment has the secrets of the other",
        "make a key for each environment and a creation rule for its path",
    ),
    "secrets/key-service": Rule(
        key_service,
        Severity.INFO,
        "what only a key service can open is neither checked nor started locally",
        "add an Age recipient beside the key service",
    ),
    "secrets/rotation": Rule(
        rotation,
        Severity.INFO,
        "a key that nobody knows how to change is not changed when it has to be",
        "describe the rotation of keys and values in a document of the repository",
    ),
}
