"""Has the worker judge what every environment renders: with the repository's PolicyRules, and with the policies that it renders itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.errors import InputError
from devloop.lint.cel_positions import point
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.context import EnvironmentGraph, KustomizationContext, place_of
from devloop.model.lint.file_index import FileIndex
from devloop.model.lint.policy import API_VERSION, KIND, PolicyOutcome, PolicyResult, PolicyRule, read_policy_rule
from devloop.model.yaml.nodes import parse_yaml
from devloop.repository.builds import scope
from devloop.repository.input_files import read_input
from devloop.toolchain import Toolchain


def check_policies(environments: Sequence[EnvironmentGraph], worker: Worker, files: FileIndex) -> tuple[PolicyResult, ...]:
    """What all policies say of all that the environments render, in a fixed order; nothing where there is no policy."""
    if not environments:
        return ()
    rules, wrong = _read(environments[0].environment.root, environments, files)
    wrong += [statement for inspected in environments for statement in _unusable(inspected)]
    benches = [_Bench(inspected, _rules_of(inspected, rules)) for inspected in environments]
    answers = worker.ask_all([bench.question() for bench in benches])
    said = [statement for bench, answer in zip(benches, answers, strict=True) for statement in bench.statements(answer, worker)]
    return (*wrong, *said)


def _read(root: Path, environments: Sequence[EnvironmentGraph], files: FileIndex) -> tuple[list[PolicyRule], list[PolicyResult]]:
    """The rules in files that no environment renders, and what is wrong with them."""
    rendered = {manifest.origin.path for inspected in environments for _, manifest in _rendered(inspected)}
    rules, wrong = [], []
    for path in files.policy_rules:
        if path not in rendered:
            rule, problems = _read_one(lambda path=path: read_input(root / path, path), path)
            rules += [rule] if rule else []
            wrong += [
                PolicyResult(PolicyOutcome.INVALID, f"{KIND} {path}", p.message, Location(p.path, p.line, KIND), p.hint) for p in problems
            ]
    return rules, wrong


def _read_one(text: Any, path: str) -> tuple[PolicyRule | None, list[Diagnostic]]:
    try:
        tree, problems = parse_yaml(text(), path)
    except InputError as error:
        return None, list(error.problems)
    rule, others = read_policy_rule(tree, path)
    return (None if problems else rule), [*problems, *others]


def _rendered(inspected: EnvironmentGraph) -> Iterator[tuple[KustomizationContext, Manifest]]:
    """The PolicyRules that an environment renders."""
    for unit in inspected.units:
        for manifest in unit.node.manifests:
            if manifest.kind == KIND and manifest.api_version == API_VERSION:
                yield unit, manifest


def _rules_of(inspected: EnvironmentGraph, rules: Sequence[PolicyRule]) -> list[PolicyRule]:
    """The rules for one environment: the repository's, and those that it renders."""
    own = [_read_one(lambda m=manifest: json.dumps(m.body), manifest.origin.path)[0] for _, manifest in _rendered(inspected)]
    return [*rules, *(replace(rule, environment=inspected.environment.name) for rule in own if rule)]


def _unusable(inspected: EnvironmentGraph) -> Iterator[PolicyResult]:
    """What is wrong with the rules that an environment renders."""
    for unit, manifest in _rendered(inspected):
        _, problems = _read_one(lambda m=manifest: json.dumps(m.body), manifest.origin.path)
        for problem in problems:
            yield PolicyResult(
                PolicyOutcome.INVALID,
                f"{KIND} {manifest.name}",
                problem.message,
                place_of(manifest),
                problem.hint,
                environment=inspected.environment.name,
                kustomization=str(unit.node.kustomization.id),
            )


@dataclass(frozen=True)
class _Bench:
    """One environment and the rules for it; the worker's answer turned into statements."""

    inspected: EnvironmentGraph
    rules: Sequence[PolicyRule]

    @property
    def name(self) -> str:
        return self.inspected.environment.name

    def question(self) -> Mapping[str, Any]:
        version = self.inspected.environment.definition.kubernetes_version.removeprefix("v") or Toolchain().version("kube-apiserver")
        asked = [rule.question(self.name) for rule in self.rules]
        return {"policies": {"scope": scope(self.name, self.inspected.graph.source_directory), "version": version, "rules": asked}}

    def statements(self, answer: Mapping[str, Any], worker: Worker) -> Iterator[PolicyResult]:
        if failure := answer.get("failure"):
            place = Location(self.inspected.environment.definition.path)
            yield PolicyResult(PolicyOutcome.SKIPPED, "what policies say", failure["message"], place, environment=self.name)
            return
        for said in answer["result"]:
            statement = self._statement(said)
            yield point(statement, said, self.inspected.environment.root, worker) if said.get("line") else statement

    def _statement(self, said: Mapping[str, Any]) -> PolicyResult:
        policy, place = self._policy(said["policy"], said.get("field") or ())
        unit = self._unit(said["object"]) if said.get("object") else None
        outcome = PolicyOutcome(said["outcome"])
        about = self._manifest(said["object"]) if said.get("object") else None
        owner = unit or (self._unit(said["policy"]) if said["policy"].get("owner") else None)
        return PolicyResult(
            outcome,
            policy,
            said["message"],
            place_of(about) if about and outcome in (PolicyOutcome.VIOLATED, PolicyOutcome.CHANGED, PolicyOutcome.MISSING) else place,
            f"see {place.path}" if about and place.path else "",
            str(about) if about else "",
            Severity(said["severity"]) if said.get("severity") else None,
            self.name,
            str(owner.node.kustomization.id) if owner else "",
        )

    def _policy(self, reference: Mapping[str, Any], field: Sequence[Any]) -> tuple[str, Location]:
        if reference.get("owner"):
            manifest = self._manifest(reference)
            return f"{manifest.kind} {manifest.name}", place_of(manifest, *field)
        rule = self.rules[reference["index"]]
        return f"{KIND} {rule.name}", Location(rule.path, 0 if rule.environment else rule.line(field), KIND, rule.name)

    def _unit(self, reference: Mapping[str, Any]) -> KustomizationContext:
        return next(unit for unit in self.inspected.units if str(unit.node.kustomization.id) == reference["owner"])

    def _manifest(self, reference: Mapping[str, Any]) -> Manifest:
        found: Manifest = self._unit(reference).node.manifests[reference["index"]]
        return found
