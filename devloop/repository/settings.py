"""Reads devloop.yaml, the optional file at the repository's root; its fields are in docs/validation.md."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.errors import InputError
from devloop.hint import DevloopCommand, Hint
from devloop.model.cluster.environment import NamedEnvironment
from devloop.model.lint.settings import OFF, PATH, Exemption, NamePattern, RequiredLabels, Settings
from devloop.model.messages import join_words, quote, suggestions
from devloop.model.re2 import compiled
from devloop.model.yaml.nodes import parse_yaml
from devloop.model.yaml.schema import LABELS, TEXTS, FieldSchema
from devloop.model.yaml.validation import ValidationResult, validate_fields
from devloop.repository import build_commands
from devloop.repository.input_files import is_there, read_input

_NEEDED = FieldSchema(required=True, pattern=r"(?s).*\S.*", example="a text that is not empty")
_FIELDS: dict[str, FieldSchema] = {
    "severities": LABELS,
    "labels.required": TEXTS,
    "labels.kinds": TEXTS,
    "names[].pattern": _NEEDED,
    "names[].kinds": TEXTS,
    "names[].example": FieldSchema(),
    "exemptions[].rule": _NEEDED,
    "exemptions[].path": FieldSchema(),
    "exemptions[].object": FieldSchema(),
    "exemptions[].reason": _NEEDED,
    "exemptions[].expires": FieldSchema(pattern=r"\d{4}-\d\d-\d\d", example="a day like 2030-12-31"),
}
_ENVIRONMENTS = "environments"
_FIELDS |= {f"{_ENVIRONMENTS}.*.{key}": FieldSchema() for key in ("path", "definition", "source", "kubernetesVersion")}
_FIELDS |= build_commands.FIELDS
_SEVERITIES = (*(severity.value for severity in Severity), OFF)


def load_settings(root: Path, rules: Sequence[str]) -> Settings:
    """The settings of the repository at `root`, or the defaults; `rules` are all rules. Raises InputError with all problems in the file."""
    return read_settings(read_input(root / PATH, PATH), rules) if is_there(root / PATH) else Settings()


def load_environments(root: Path) -> dict[str, NamedEnvironment]:
    """The environments that devloop.yaml names; raises InputError with all problems of that part of the file."""
    text = read_input(root / PATH, PATH) if is_there(root / PATH) else ""
    if _ENVIRONMENTS not in text:
        return {}
    tree, _ = parse_yaml(text, PATH)
    only = replace(tree, value={key: node for key, node in tree.entries.items() if key == _ENVIRONMENTS})
    checked = validate_fields(only, _FIELDS, PATH, {})
    if checked.problems:
        raise InputError.of(checked.problems)
    entries = checked.data.get(_ENVIRONMENTS, {}).items()
    return {name: _named(fields, checked.lines.get(f"{_ENVIRONMENTS}.{name}", 0)) for name, fields in entries}


def _named(fields: Mapping[str, str], line: int) -> NamedEnvironment:
    path, source = (posixpath.normpath(fields[key]) if fields.get(key) else "" for key in ("path", "source"))
    return NamedEnvironment(path, fields.get("definition", ""), source or ".", fields.get("kubernetesVersion", ""), line)


def read_settings(text: str, rules: Sequence[str]) -> Settings:
    """The settings in `text`, which may be empty or hold only comments."""
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return Settings()
    tree, problems = parse_yaml(text, PATH)
    reader = _Reader(validate_fields(tree, _FIELDS, PATH, {}), rules)
    settings = reader.settings()
    if problems := sorted([*problems, *reader.checked.problems, *reader.problems], key=lambda problem: problem.line):
        raise InputError.of(problems)
    return settings


class _Reader:
    """Turns validated fields into settings, and collects what is wrong with their values."""

    def __init__(self, checked: ValidationResult, rules: Sequence[str]) -> None:
        self.checked = checked
        self.problems: list[Diagnostic] = []
        self._rules = rules

    def settings(self) -> Settings:
        data = self.checked.data
        labels = data.get("labels", {})
        return Settings(
            severities=dict(self._severities(data.get("severities", {}))),
            labels=RequiredLabels(tuple(labels.get("required", ())), tuple(labels.get("kinds", ()))),
            names=tuple(self._names(data.get("names", ()))),
            exemptions=tuple(self._exemptions(data.get("exemptions", ()))),
        )

    def _severities(self, entries: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for rule, severity in entries.items():
            where = f"severities.{rule}"
            self._check_rule(rule, where)
            if severity not in _SEVERITIES:
                self._note(where, f"the severity of {rule} is {quote(severity)}, allowed: {', '.join(_SEVERITIES)}", severity, _SEVERITIES)
            else:
                yield rule, severity

    def _names(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[NamePattern]:
        for index, entry in enumerate(entries):
            try:
                pattern = compiled(entry.get("pattern", ""))
            except ValueError as error:
                self._note(f"names[{index}].pattern", f"this is not a regular expression: {error}")
                continue
            example = entry.get("example", "")
            if example and not pattern.fullmatch(example):
                self._note(f"names[{index}].example", f"the example {quote(example)} does not match the pattern")
            yield NamePattern(pattern, tuple(entry.get("kinds", ())), example)

    def _exemptions(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[Exemption]:
        for index, entry in enumerate(entries):
            where = f"exemptions[{index}]"
            rule, path, object_ = (entry.get(key, "") for key in ("rule", "path", "object"))
            if rule:
                self._check_rule(rule, f"{where}.rule")
            line = self.checked.lines.get(where, 0)
            yield Exemption(rule, entry.get("reason", ""), path, object_, self._day(entry.get("expires", ""), f"{where}.expires"), line)

    def _day(self, text: str, where: str) -> date | None:
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self._note(where, f"{quote(text)} is not a valid date")
            return None

    def _check_rule(self, rule: str, where: str) -> None:
        if not any(fnmatchcase(name, rule) for name in self._rules):
            self._note(where, f"there is no rule {quote(rule)}", rule, self._rules)

    def _note(self, where: str, message: str, word: str = "", known: Sequence[str] = ()) -> None:
        hint: Hint = DevloopCommand("validate", options=("--explain", "all")) if known is self._rules else ""
        if similar := suggestions(word, known) if word else []:
            hint = f"did you mean {join_words(similar, 'or')}?"
        self.problems.append(Diagnostic.at(PATH, self.checked.lines.get(where, 0), message, hint))
