"""Has the worker evaluate the repository's PolicyRules and the policies that each environment renders."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from devloop.clients import worker_protocol as protocol
from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.errors import InputError
from devloop.lint.cel_positions import add_position
from devloop.model.flux.clusters import Cluster
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.context import EnvironmentGraph, KustomizationContext, location_of
from devloop.model.lint.file_index import FileIndex
from devloop.model.lint.inventory import inventories_of
from devloop.model.lint.policy import API_VERSION, KIND, PolicyOutcome, PolicyResult, PolicyRule, read_policy_rule
from devloop.model.yaml.nodes import parse_yaml
from devloop.repository.builds import scope_of
from devloop.repository.input_files import read_input
from devloop.toolchain import Toolchain

_ABOUT_OBJECTS = (PolicyOutcome.VIOLATED, PolicyOutcome.CHANGED, PolicyOutcome.MISSING)


def check_policies(environments: Sequence[EnvironmentGraph], worker: Worker, files: FileIndex) -> tuple[PolicyResult, ...]:
    """The results of all policies in all environments, in a fixed order."""
    if not environments:
        return ()
    rendered = {manifest.origin.path for built in environments for _, manifest in _manifests(built)}
    rules, invalid = _read_files(environments[0].environment.root, (path for path in files.policy_rules if path not in rendered))
    checks = []
    for built in environments:
        own, problems = _read_manifests(built)
        checks.append(_Check(built, [*rules, *own]))
        invalid += problems
    answers = worker.ask_all([check.request() for check in checks])
    return (*invalid, *(result for check, answer in zip(checks, answers, strict=True) for result in check.results(answer, worker)))


def _read_files(root: Path, paths: Iterable[str]) -> tuple[list[PolicyRule], list[PolicyResult]]:
    """The rules in files, and what is wrong with them."""
    rules: list[PolicyRule] = []
    invalid: list[PolicyResult] = []
    for path in paths:
        rule, problems = _parse(partial(read_input, root / path, path), path)
        rules += [rule] if rule else []
        for problem in problems:
            location = Location(problem.path, problem.line, KIND)
            invalid.append(PolicyResult(PolicyOutcome.INVALID, f"{KIND} {path}", problem.message, location, problem.hint))
    return rules, invalid


def _read_manifests(built: EnvironmentGraph) -> tuple[list[PolicyRule], list[PolicyResult]]:
    """The rules that an environment renders, and what is wrong with them."""
    rules: list[PolicyRule] = []
    invalid: list[PolicyResult] = []
    name = built.environment.name
    for kustomization, manifest in _manifests(built):
        rule, problems = _parse(partial(json.dumps, manifest.body), manifest.origin.path)
        rules += [replace(rule, environment=name)] if rule else []
        for problem in problems:
            result = PolicyResult(PolicyOutcome.INVALID, f"{KIND} {manifest.name}", problem.message, location_of(manifest), problem.hint)
            invalid.append(replace(result, environment=name, kustomization=str(kustomization.id)))
    return rules, invalid


def _parse(read: Callable[[], str], path: str) -> tuple[PolicyRule | None, list[Diagnostic]]:
    try:
        tree, problems = parse_yaml(read(), path)
    except InputError as error:
        return None, list(error.problems)
    rule, others = read_policy_rule(tree, path)
    return (None if problems else rule), [*problems, *others]


def _manifests(built: EnvironmentGraph) -> Iterator[tuple[KustomizationContext, Manifest]]:
    """The PolicyRules that an environment renders."""
    for kustomization in built.kustomizations:
        for manifest in kustomization.node.manifests:
            if manifest.kind == KIND and manifest.api_version == API_VERSION:
                yield kustomization, manifest


def _rule_request(rule: PolicyRule, environment: str) -> protocol.PolicyRule:
    """The rule for one environment."""
    targets = [target for target in rule.targets if environment in (target.get("environments") or (environment,))]
    return {
        "type": rule.type,
        "severity": rule.severity.value,
        "targets": [cast("protocol.RuleTarget", {key: value for key, value in each.items() if key != "environments"}) for each in targets],
        "constraints": [_constraint_request(each) for each in rule.constraints],
    }


def _constraint_request(constraint: Mapping[str, Any]) -> protocol.RuleConstraint:
    variables = [{"name": name, "expression": text} for name, text in constraint.get("variables", {}).items()]
    return cast("protocol.RuleConstraint", {**constraint, "variables": variables})


@dataclass(frozen=True)
class _Check:
    """The rules for one environment: a request to the worker, and results from its answer."""

    built: EnvironmentGraph
    rules: Sequence[PolicyRule]

    @property
    def name(self) -> str:
        return self.built.environment.name

    def request(self) -> protocol.Request:
        version = self.built.environment.definition.kubernetes_version.removeprefix("v") or Toolchain().version("kube-apiserver")
        rules = [_rule_request(rule, self.name) for rule in self.rules]
        return {"policies": {"scope": scope_of(self.built.graph), "version": version, "rules": rules}}

    def results(self, answer: protocol.Answer, worker: Worker) -> Iterator[PolicyResult]:
        if failure := answer.get("failure"):
            location = Location(self.built.environment.definition.path)
            yield PolicyResult(PolicyOutcome.SKIPPED, "what policies say", failure["message"], location, environment=self.name)
            return
        results: Sequence[protocol.PolicyResult] = answer["result"]
        clusters = self._clusters()
        for each in results:
            if not self._is_one_cluster(each, clusters):
                continue
            result = self._result(each)
            yield add_position(result, each, self.built.environment.root, worker) if each.get("line") else result

    def _clusters(self) -> Mapping[int, Cluster]:
        """The cluster of each object, by identity; empty if the environment has one cluster alone."""
        known = inventories_of(self.built)
        applied = [(each.cluster, manifest) for each in known for _, manifests in each.applied.values() for manifest in manifests]
        return {id(manifest): cluster for cluster, manifest in applied} if len(known) > 1 else {}

    def _is_one_cluster(self, answer: protocol.PolicyResult, clusters: Mapping[int, Cluster]) -> bool:
        """Whether a rendered policy is in the cluster of the object that it says something about."""
        policy, about = answer["policy"], answer.get("object")
        if not clusters or not policy.get("owner") or not about:
            return True
        return clusters.get(id(self._manifest(policy))) == clusters.get(id(self._manifest(about)))

    def _result(self, answer: protocol.PolicyResult) -> PolicyResult:
        policy, location = self._policy(answer["policy"], answer.get("field") or ())
        reference = answer.get("object")
        manifest = self._manifest(reference) if reference else None
        owner = (reference or answer["policy"]).get("owner")
        outcome = PolicyOutcome(answer["outcome"])
        return PolicyResult(
            outcome,
            policy,
            answer["message"],
            location_of(manifest) if manifest and outcome in _ABOUT_OBJECTS else location,
            f"see {location.path}" if manifest and location.path else "",
            str(manifest) if manifest else "",
            Severity(answer["severity"]) if answer.get("severity") else None,
            self.name,
            owner or "",
        )

    def _policy(self, reference: protocol.ObjectReference, field: Sequence[Any]) -> tuple[str, Location]:
        """The name of a policy and where it is."""
        if reference.get("owner"):
            manifest = self._manifest(reference)
            return f"{manifest.kind} {manifest.name}", location_of(manifest, *field)
        rule = self.rules[reference["index"]]
        return f"{KIND} {rule.name}", Location(rule.path, 0 if rule.environment else rule.line(field), KIND, rule.name)

    def _manifest(self, reference: protocol.ObjectReference) -> Manifest:
        node = next(kustomization.node for kustomization in self.built.kustomizations if str(kustomization.id) == reference["owner"])
        return node.manifests[int(reference["index"])]
