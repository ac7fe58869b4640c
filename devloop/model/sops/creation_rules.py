"""The metadata of SOPS-encrypted files and the creation rules of .sops.yaml, without a key. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from devloop.diagnostic import Diagnostic
from devloop.model.re2 import compiled
from devloop.model.yaml.scalars import Leaf, read_leaves

_SETTINGS = (
    "encrypted_regex", "unencrypted_regex", "encrypted_suffix", "unencrypted_suffix", "mac_only_encrypted", "encrypted_comment_regex",
    "unencrypted_comment_regex",
)  # fmt: skip
# Key in SOPS' metadata or in .sops.yaml -> name: https://getsops.io/docs/.
_KEY_SERVICES = {
    "age": "Age",
    "azure_keyvault": "Azure Key Vault",
    "azure_kv": "Azure Key Vault",
    "gcp_kms": "Google Cloud KMS",
    "hc_vault": "HashiCorp Vault",
    "hc_vault_transit_uri": "HashiCorp Vault",
    "hckms": "Huawei Cloud KMS",
    "kms": "AWS KMS",
    "pgp": "PGP",
}
# Message and hint of the rule secrets/no-rule.
WITHOUT_RULE = "is encrypted, but no rule in .sops.yaml matches it: it cannot be re-encrypted after an edit"
ADD_RULE = "add a creation rule whose path_regex matches it"


@dataclass(frozen=True)
class EncryptedSecret:
    """A file encrypted by SOPS; `settings` are those of the encryption (encrypted_regex ...), `services` the key services by name."""

    path: str
    data: tuple[Leaf, ...]
    age_recipients: tuple[str, ...]
    services: tuple[str, ...]
    settings: Mapping[str, str]
    has_mac: bool

    @property
    def encrypted_data(self) -> tuple[Leaf, ...]:
        return tuple(leaf for leaf in self.data if leaf.encrypted)

    @property
    def metadata(self) -> Mapping[str, str]:
        """Kubernetes' metadata of the first object: name, namespace, labels.<name> ..."""
        pairs = [(".".join(leaf.path[1:]), leaf.value) for leaf in self.data if leaf.path[0] == "metadata" and len(leaf.path) > 1]
        return dict(reversed(pairs))


@dataclass(frozen=True)
class CreationRule:
    """One rule of .sops.yaml; an empty `path_regex` matches every file."""

    path_regex: str
    age_recipients: tuple[str, ...]
    services: tuple[str, ...]
    settings: Mapping[str, str]
    line: int

    def matches(self, path: str) -> bool:
        try:
            return compiled(self.path_regex).search(path)
        except ValueError:
            return False


@dataclass(frozen=True)
class CreationRules:
    """The rules of a .sops.yaml; the first match applies. `problems` are invalid expressions, which match nothing."""

    path: str
    rules: tuple[CreationRule, ...]
    problems: tuple[Diagnostic, ...] = ()

    @property
    def age_recipients(self) -> frozenset[str]:
        return frozenset(recipient for rule in self.rules for recipient in rule.age_recipients)

    def rule_for(self, path: str) -> CreationRule | None:
        """`path` is relative to the folder of .sops.yaml."""
        return next((rule for rule in self.rules if rule.matches(path)), None)


def parse_secret(path: str, text: str) -> EncryptedSecret | None:
    """None for a file that is not encrypted; raises InputError for one that cannot be parsed."""
    leaves = [*read_leaves(path, text)]
    sops = [Leaf(leaf.path[1:], leaf.value, leaf.line) for leaf in leaves if leaf.path[:1] == ("sops",) and len(leaf.path) > 1]
    if not any(leaf.path[-1] in ("mac", "version", "lastmodified") for leaf in sops):
        return None
    return EncryptedSecret(
        path=path,
        data=tuple(leaf for leaf in leaves if leaf.path and leaf.path[0] != "sops"),
        age_recipients=_unique(leaf.value for leaf in sops if leaf.path[-1] == "recipient"),
        services=_services(sops),
        settings=_settings(sops),
        has_mac=any(leaf.path == ("mac",) and leaf.encrypted for leaf in sops),
    )


def parse_creation_rules(text: str, path: str = ".sops.yaml") -> CreationRules:
    """Raises InputError for a file that cannot be parsed."""
    groups: dict[str, list[Leaf]] = {}
    for leaf in read_leaves(path, text):
        if leaf.path[0] == "creation_rules" and len(leaf.path) > 2:
            groups.setdefault(leaf.path[1], []).append(Leaf(leaf.path[2:], leaf.value, leaf.line))
    problems = tuple(problem for group in groups.values() for problem in _bad_expressions(path, group))
    return CreationRules(path, tuple(map(_rule, groups.values())), problems)


def _rule(leaves: Sequence[Leaf]) -> CreationRule:
    expression = next((leaf.value for leaf in leaves if leaf.path == ("path_regex",)), "")
    recipients = (part.strip() for leaf in leaves if "age" in leaf.path for part in leaf.value.split(","))
    return CreationRule(expression, _unique(filter(None, recipients)), _services(leaves), _settings(leaves), leaves[0].line)


def _bad_expressions(path: str, leaves: Sequence[Leaf]) -> Iterator[Diagnostic]:
    for leaf in leaves:
        if leaf.path[-1].endswith("_regex"):
            try:
                compiled(leaf.value)
            except ValueError as error:
                message = f"{leaf.path[-1]} is not a regular expression: {error}"
                yield Diagnostic.at(path, leaf.line, message, "see https://getsops.io/docs/ for .sops.yaml")


def _services(leaves: Sequence[Leaf]) -> tuple[str, ...]:
    """The key services, also those in key groups."""
    used = (key for leaf in leaves if leaf.value not in ("", "null", "~") for key in leaf.path)
    return _unique(_KEY_SERVICES[key] for key in used if key in _KEY_SERVICES)


def _settings(leaves: Sequence[Leaf]) -> dict[str, str]:
    return {leaf.path[0]: leaf.value for leaf in leaves if leaf.path[0] in _SETTINGS}


def _unique(values: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
