"""Encrypted files have the recipients of .sops.yaml, and each environment has its own keys."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import command
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.model.lint.file_index import FileIndex
from devloop.model.sops.creation_rules import ADD_RULE, WITHOUT_RULE, CreationRule


def recipients(context: LintContext) -> Iterator[Diagnostic]:
    """The recipients of a file differ from those in .sops.yaml."""
    for path, secret in context.files.encrypted.items():
        rule = context.files.rule_for(path)
        if rule and _is_filled_in(rule):
            location, hint = Location(path, 1), command("sops updatekeys", path)
            wanted, actual = {*rule.age_recipients}, {*secret.age_recipients}
            for name in sorted(wanted - actual):
                yield Diagnostic.of("{recipient} is a recipient in .sops.yaml but cannot decrypt the file", location, hint, recipient=name)
            for name in sorted(actual - wanted):
                yield Diagnostic.of("{recipient} can decrypt the file but is not a recipient in .sops.yaml", location, hint, recipient=name)


def _is_filled_in(rule: CreationRule) -> bool:
    """Not a template with placeholders for recipients, nor a rule without any key, which uses those of the command line."""
    return bool(rule.age_recipients or rule.services) and all(name.startswith(("age1", "ssh-")) for name in rule.age_recipients)


def no_rule(context: LintContext) -> Iterator[Diagnostic]:
    """A file is encrypted, but no creation rule matches it."""
    for path in context.files.encrypted:
        if context.files.rules_for(path) and not context.files.rule_for(path):
            yield Diagnostic(WITHOUT_RULE, Location(path, 1), ADD_RULE)


def key_service(context: LintContext) -> Iterator[Diagnostic]:
    """Only a key service can decrypt the file."""
    for path, secret in context.files.encrypted.items():
        if secret.services and not secret.age_recipients and secret.services != ("Age",):
            services = ", ".join(name for name in secret.services if name != "Age")
            message = "{services} is not available here, so the values of the file stay unknown"
            hint = f"with an age recipient in .sops.yaml it can be decrypted locally: add one, then sops updatekeys {path}"
            yield Diagnostic.of(message, Location(path, 1), hint, services=services)


def own_recipient(context: LintContext) -> Iterator[Diagnostic]:
    """An environment has exactly the recipients of another; a shared key besides their own ones is fine."""
    keys = {environment.name: _recipients(environment, context.files) for environment in context.environments}
    for environment in context.environments:
        others = sorted(name for name, found in keys.items() if name != environment.name and keys[environment.name] == found)
        if keys[environment.name] and others:
            message = "the environment {environment} has no recipient of its own: the keys of {environments} decrypt its secrets"
            hint = "create a key for it with age-keygen, add a creation rule for its path to .sops.yaml, then sops updatekeys its files"
            yield environment.diagnostic(message, _rule_location(environment, context.files), hint=hint, environments=", ".join(others))


def _recipients(environment: EnvironmentGraph, files: FileIndex) -> frozenset[str]:
    """Who can decrypt the files in the environment's own folder; without any there, all files that it uses."""
    used = [path for path in environment.graph.encrypted if path in files.encrypted]
    own = [path for path in used if path.startswith(environment.environment.entry_path + "/")]
    return frozenset(name for path in own or used for name in files.encrypted[path].age_recipients)


def _rule_location(environment: EnvironmentGraph, files: FileIndex) -> Location:
    path = next(path for path in environment.graph.encrypted if path in files.encrypted)
    rules, rule = files.rules_for(path), files.rule_for(path)
    return Location(rules.path, rule.line) if rules and rule else Location(path, 1)


def rotation(context: LintContext) -> Iterator[Diagnostic]:
    """The repository has encrypted files, but no document describes how to rotate keys."""
    if context.files.encrypted and not context.files.rotation:
        path = next(iter(context.files.encrypted))
        rules = context.files.rules_for(path)
        location = Location(rules.path if rules else path, 1)
        yield Diagnostic("no document in the repository describes how to rotate keys and secrets", location, "describe it in README.md")


RULES: Rules = {
    "secrets/recipients": Rule(
        recipients,
        Severity.WARNING,
        "added recipients cannot decrypt the file, and removed ones still can",
        "run `sops updatekeys` on the file; after removing a recipient, also rotate the data key and the values",
    ),
    "secrets/no-rule": Rule(
        no_rule,
        Severity.WARNING,
        "sops cannot encrypt the file again after the next edit",
        "add a creation rule to .sops.yaml whose path_regex matches the file",
    ),
    "secrets/own-recipient": Rule(
        own_recipient,
        Severity.WARNING,
        "the key of one environment also decrypts the secrets of the other",
        "create a key for each environment and a creation rule for its path",
    ),
    "secrets/key-service": Rule(
        key_service,
        Severity.INFO,
        "files that only a key service can decrypt can be neither checked nor used locally",
        "add an age recipient in addition to the key service",
    ),
    "secrets/rotation": Rule(
        rotation,
        Severity.INFO,
        "a key that nobody knows how to rotate is not rotated when it must be",
        "describe the rotation of keys and values in a document in the repository",
    ),
}
