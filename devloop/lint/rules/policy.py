"""What policies say: the repository's PolicyRules, and the admission policies that it renders. The worker judged, here are only words."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Scope, Severity
from devloop.hint import Hint
from devloop.lint.rules.rule import Check, Rule, Rules
from devloop.model.lint.context import LintContext
from devloop.model.lint.policy import PolicyOutcome, PolicyResult


def _said(outcome: PolicyOutcome) -> Check:
    def check(subject: LintContext) -> Iterator[Diagnostic]:
        for said in subject.judgements.policies:
            if said.outcome is outcome:
                yield Diagnostic(_message(said), said.place, _hint(said), said.severity, _scopes(said))

    return check


def _scopes(said: PolicyResult) -> tuple[Scope, ...]:
    return (Scope(said.environment, said.kustomization),) if said.environment else ()


def _message(said: PolicyResult) -> str:
    if said.outcome is PolicyOutcome.SKIPPED:
        return f"{said.policy} is not judged{' for every object' if said.object else ''}: {said.message}"
    if said.outcome in (PolicyOutcome.INVALID, PolicyOutcome.UNBOUND):
        return f"{said.policy}: {said.message}"
    verb = {
        PolicyOutcome.VIOLATED: "breaks",
        PolicyOutcome.CHANGED: "would be changed by",
        PolicyOutcome.MISSING: "lacks what is asked for by",
    }[said.outcome]
    return f"{said.object} {verb} {said.policy}: {said.message}"


def _hint(said: PolicyResult) -> Hint:
    return f"one of them is {said.object}" if said.outcome is PolicyOutcome.SKIPPED and said.object else said.hint


RULES: Rules = {
    "policy/violated": Rule(
        _said(PolicyOutcome.VIOLATED),
        Severity.ERROR,
        "the API server, Kyverno or the repository's own rules refuse what breaks a policy",
        "change the object as the policy's message says, or exempt it in devloop.yaml with a reason",
    ),
    "policy/missing-object": Rule(
        _said(PolicyOutcome.MISSING),
        Severity.ERROR,
        "a rule of the repository wants another object beside this one",
        "add the object that the message names to the same environment",
    ),
    "policy/would-change": Rule(
        _said(PolicyOutcome.CHANGED),
        Severity.INFO,
        "what runs differs from what is written where a mutation changes it",
        "write the object as the rule would leave it",
    ),
    "policy/invalid": Rule(
        _said(PolicyOutcome.INVALID),
        Severity.ERROR,
        "a policy that cannot be read or compiled protects nothing",
        "mend the field or the expression that the message names; docs/policies.md lists what there is",
    ),
    "policy/unbound": Rule(
        _said(PolicyOutcome.UNBOUND),
        Severity.WARNING,
        "a policy without a binding, or a binding without its policy, does nothing",
        "render both in the same environment, under the name that policyName says",
    ),
    "policy/skipped": Rule(
        _said(PolicyOutcome.SKIPPED),
        Severity.INFO,
        "what cannot be judged exactly here is not guessed",
        "nothing has to be done; the cluster judges it",
    ),
}
