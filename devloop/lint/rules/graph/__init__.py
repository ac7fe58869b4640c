"""graph/*: how the Kustomizations of an environment relate, and what they need from each other."""

from devloop.lint.rules.graph import (
    custom_resources,
    decryption_keys,
    dependencies,
    health_checks,
    namespaces,
    ownership,
    paths,
    prune,
    reachability,
    release_sources,
    release_values,
    service_accounts,
    variables,
    waiting,
)
from devloop.lint.rules.rule import Rules

RULES: Rules = {
    **paths.RULES,
    **dependencies.RULES,
    **ownership.RULES,
    **custom_resources.RULES,
    **namespaces.RULES,
    **service_accounts.RULES,
    **health_checks.RULES,
    **variables.RULES,
    **release_sources.RULES,
    **release_values.RULES,
    **decryption_keys.RULES,
    **waiting.RULES,
    **prune.RULES,
    **reachability.RULES,
}
