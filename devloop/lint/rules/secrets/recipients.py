"""Encrypted files are for those whom .sops.yaml names, and each environment's for keys of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import command
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.model.lint.file_index import FileIndex
from devloop.model.sops.creation_rules import ADD_RULE, WITHOUT_RULE, CreationRule, EncryptedSecret


def recipients(subject: LintContext) -> Iterator[Diagnostic]:
    """A file is encrypted for others than .sops.yaml says now."""
    for path, secret in subject.files.encrypted.items():
        rule = subject.files.rule_for(path)
        if rule and _is_filled_in(rule):
            hint = command("sops updatekeys", path)
            for recipient in sorted({*rule.age_recipients} - {*secret.age_recipients}):
                yield Diagnostic(f"{recipient} is a recipient in .sops.yaml and cannot open the file", Location(path, 1), hint)
            for recipient in sorted({*secret.age_recipients} - {*rule.age_recipients}):
                yield Diagnostic(f"{recipient} can open the file and is no recipient of it in .sops.yaml", Location(path, 1), hint)


def _is_filled_in(rule: CreationRule) -> bool:
    """A template's rule has a placeholder in place of a recipient; one without any key takes those of the command line."""
    return bool(rule.age_recipients or rule.services) and all(name.startswith(("age1", "ssh-")) for name in rule.age_recipients)


def no_rule(subject: LintContext) -> Iterator[Diagnostic]:
    """A file is encrypted and no rule of .sops.yaml is for it."""
    for path in subject.files.encrypted:
        if subject.files.rules_for(path) and not subject.files.rule_for(path):
            yield Diagnostic(WITHOUT_RULE, Location(path, 1), ADD_RULE)


def key_service(subject: LintContext) -> Iterator[Diagnostic]:
    """Only a key service opens the file."""
    for path, secret in subject.files.encrypted.items():
        if secret.services and not secret.age_recipients and secret.services != ("Age",):
            names = ", ".join(name for name in secret.services if name != "Age")
            yield Diagnostic(f"{names} cannot be asked here: the values of the file stay unknown", Location(path, 1), _ADD_AGE.format(path))


_ADD_AGE = "an Age recipient in .sops.yaml opens it locally too: add one, then sops updatekeys {}"


def own_recipient(subject: LintContext) -> Iterator[Diagnostic]:
    """An environment's secrets are for the same recipients as another's; a key that both have beside their own is fine."""
    keys = {inspected.environment.name: _recipients(inspected, subject.files) for inspected in subject.environments}
    for inspected in subject.environments:
        name = inspected.environment.name
        others = [other for other, found in keys.items() if other != name and keys[name] == found]
        if keys[name] and others:
            message = f"the environment {name} has no recipient of its own: the keys of {', '.join(sorted(others))} open its secrets"
            yield inspected.diagnostic(message, _rule_place(inspected, subject.files), hint=_OWN_KEY)


_OWN_KEY = "age-keygen a key for it, give its path a creation rule of its own in .sops.yaml, then sops updatekeys its files"


def _recipients(inspected: EnvironmentGraph, files: FileIndex) -> frozenset[str]:
    """Who can open what the environment reaches in its own folder; where that is nothing, all that it reaches."""
    entry = inspected.environment.entry_path + "/"
    reached = [path for path in inspected.graph.encrypted if path in files.encrypted]
    own = [path for path in reached if path.startswith(entry)]
    return frozenset(name for path in own or reached for name in files.encrypted[path].age_recipients)


def _rule_place(inspected: EnvironmentGraph, files: FileIndex) -> Location:
    [path, *_] = [path for path in inspected.graph.encrypted if path in files.encrypted]
    rules, rule = files.rules_for(path), files.rule_for(path)
    return Location(rules.path, rule.line) if rules and rule else Location(path, 1)


def rotation(subject: LintContext) -> Iterator[Diagnostic]:
    """Secrets are encrypted, and nothing in the repository says how their keys are changed."""
    encrypted: Mapping[str, EncryptedSecret] = subject.files.encrypted
    if encrypted and not subject.files.rotation:
        rules = subject.files.rules_for(next(iter(encrypted)))
        place = Location(rules.path, 1) if rules else Location(next(iter(encrypted)), 1)
        yield Diagnostic("no document of the repository says how keys and secrets are rotated", place, "write it down in README.md")


RULES: Rules = {
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
