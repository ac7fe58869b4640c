"""The results of the repository's PolicyRules and of the admission policies that it renders; the worker evaluates both."""

from devloop.diagnostic import Diagnostic, Scope, Severity
from devloop.lint.rules.rule import Check, Rule, Rules
from devloop.model.lint.policy import PolicyOutcome, PolicyResult

_MESSAGES = {
    PolicyOutcome.VIOLATED: "{object} violates {policy}: {reason}",
    PolicyOutcome.CHANGED: "{object} would be changed by {policy}: {reason}",
    PolicyOutcome.MISSING: "{object} is missing an object required by {policy}: {reason}",
    PolicyOutcome.INVALID: "{policy}: {reason}",
    PolicyOutcome.UNBOUND: "{policy}: {reason}",
    PolicyOutcome.SKIPPED: "{policy} was not evaluated: {reason}",
}


def _check(outcome: PolicyOutcome) -> Check:
    return lambda context: (_diagnostic(result) for result in context.worker_results.policies if result.outcome is outcome)


def _diagnostic(result: PolicyResult) -> Diagnostic:
    message, hint = _MESSAGES[result.outcome], result.hint
    if result.outcome is PolicyOutcome.SKIPPED and result.object:
        message, hint = "{policy} was not evaluated for every object: {reason}", f"one of them is {result.object}"
    scopes = (Scope(result.environment, result.kustomization),) if result.environment else ()
    arguments = {"object": result.object, "policy": result.policy, "reason": result.message}
    return Diagnostic.of(message, result.place, hint, result.severity, scopes, **arguments)


RULES: Rules = {
    "policy/violated": Rule(
        _check(PolicyOutcome.VIOLATED),
        Severity.ERROR,
        "the API server, Kyverno or the repository's own rules deny objects that violate a policy",
        "change the object as the policy's message says, or exempt it in devloop.yaml with a reason",
    ),
    "policy/missing-object": Rule(
        _check(PolicyOutcome.MISSING),
        Severity.ERROR,
        "a rule of the repository requires another object for this one",
        "add the object that the message names to the same environment",
    ),
    "policy/would-change": Rule(
        _check(PolicyOutcome.CHANGED),
        Severity.INFO,
        "a mutation makes the running object differ from the manifest",
        "write the object as the rule would change it",
    ),
    "policy/invalid": Rule(
        _check(PolicyOutcome.INVALID),
        Severity.ERROR,
        "a policy that cannot be parsed or compiled enforces nothing",
        "fix the field or the expression that the message names; docs/policies.md lists what is available",
    ),
    "policy/unbound": Rule(
        _check(PolicyOutcome.UNBOUND),
        Severity.WARNING,
        "a policy without a binding, or a binding without its policy, has no effect",
        "render both in the same environment, with the name of the policy in policyName",
    ),
    "policy/skipped": Rule(
        _check(PolicyOutcome.SKIPPED),
        Severity.INFO,
        "devloop does not guess results that it cannot evaluate exactly",
        "no action needed; the cluster evaluates it",
    ),
}
