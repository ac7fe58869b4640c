"""Validates a YAML tree against a table of fields, whatever the format."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.hint import Hint
from devloop.model.messages import join_words, quote, shortened, suggestions
from devloop.model.yaml.interpolation import expand
from devloop.model.yaml.nodes import YamlNode
from devloop.model.yaml.schema import FieldSchema

_NAMES = {
    "text": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
    "mapping": "a mapping",
    "list": "a list",
    "texts": "a list of texts",
    "labels": "a mapping of texts",
    "flags": "a mapping to true or false",
    "empty": "an empty mapping",
}


@dataclass(frozen=True)
class ValidationResult:
    """`data` contains the valid values only; `lines` maps every path in the file to its line."""

    data: Mapping[str, Any]
    lines: Mapping[str, int]
    problems: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]


# Path of an unknown key -> a message and a hint specific to the format, or None.
Explain = Callable[[str], tuple[str, str] | None]


def validate_fields(
    root: YamlNode, fields: Mapping[str, FieldSchema], path: str, variables: Mapping[str, str], explain: Explain = lambda _: None
) -> ValidationResult:
    """Validates `root`, the content of the file `path`; `variables` replace ${NAME} in strings."""
    checker = _Checker(fields, path, variables, explain)
    data = checker.section(root, "", "") or {}
    return ValidationResult(data, checker.lines, tuple(checker.problems), tuple(checker.warnings))


def lookup(data: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path (no lists), or None."""
    value: Any = data
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


@dataclass
class _Checker:
    """Walks one file. `pattern` is a path of the table, `where` the same path with the file's indexes."""

    fields: Mapping[str, FieldSchema]
    path: str
    variables: Mapping[str, str]
    explain: Explain
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)

    def value(self, node: YamlNode, pattern: str, where: str) -> Any:
        self.lines[where] = node.line
        if pattern in self.fields:
            return self.leaf(node, self.fields[pattern], where)
        if any(name.startswith(pattern + "[]") for name in self.fields):
            return self.list_of_sections(node, pattern, where)
        return self.section(node, pattern, where)

    def section(self, node: YamlNode, pattern: str, where: str) -> dict[str, Any] | None:
        if node.shape != "mapping":
            self.wrong_shape(node, ("mapping",), where)
            return None
        prefix, data = pattern and pattern + ".", {}
        known = list(dict.fromkeys(re.split(r"\.|\[", name[len(prefix) :])[0] for name in self.fields if name.startswith(prefix)))
        for key, child in node.entries.items():
            if key in known or "*" in known:
                data[key] = self.value(child, prefix + (key if key in known else "*"), f"{where}.{key}" if where else key)
            else:
                self.unknown(child.line, key, where, known)
        self.require_fields(node, prefix, where)
        return {key: value for key, value in data.items() if value is not None}

    def require_fields(self, node: YamlNode, prefix: str, where: str) -> None:
        written = {prefix + key for key, child in node.entries.items() if child.shape != "null"}
        for name, rule in self.fields.items():
            if rule.required and name.rpartition(".")[0] == prefix.removesuffix(".") and name not in written:
                key = name.removeprefix(prefix)
                example = f"{key}: {rule.allowed[0]}" if rule.allowed else key
                self.report(node.line, f"{where}.{key} is missing".lstrip("."), f"add {example}")

    def list_of_sections(self, node: YamlNode, pattern: str, where: str) -> list[Any]:
        if node.shape != "list":
            self.wrong_shape(node, ("list",), where)
        sections = []
        for index, item in enumerate(node.items):
            self.lines[f"{where}[{index}]"] = item.line
            sections.append(self.section(item, pattern + "[]", f"{where}[{index}]") or {})
        return sections

    def leaf(self, node: YamlNode, rule: FieldSchema, where: str) -> Any:
        if rule.instead and node.shape != "null":
            self.warn(node.line, f"{where} is deprecated in favour of {rule.instead}")
        for shape in rule.shapes:
            if shape == _shape(node, rule) and shape in ("text", "integer", "boolean"):
                return self.scalar(node, rule, where)
            if shape == "texts" and node.shape == "list":
                return self.texts(node, rule, where)
            if shape in ("labels", "flags") and node.shape == "mapping":
                return self.user_keys(node, shape, where)
            if shape == "empty" and node.shape == "mapping" and not node.entries:
                return {}
        self.wrong_shape(node, rule.shapes, where, rule.allowed)
        return None

    def scalar(self, node: YamlNode, rule: FieldSchema, where: str) -> Any:
        shape = _shape(node, rule)
        if shape == "boolean":
            return ("Enabled" if node.value else "Disabled") if "Enabled" in rule.allowed else node.value
        value = node.value if shape == "integer" else _in_case(self.expanded(node, where), rule)
        reason, hint = _out_of_range(node, rule) if shape == "integer" else _not_allowed(value, node, rule)
        if reason:
            self.report(node.line, f"{where} {reason}", hint)
        return None if reason else value

    def texts(self, node: YamlNode, rule: FieldSchema, where: str) -> list[str]:
        texts = []
        for index, item in enumerate(node.items):
            path = f"{where}[{index}]"
            self.lines[path] = item.line
            if _shape(item, rule) == "text":
                texts.append(self.scalar(item, rule, path))
            else:
                self.wrong_shape(item, ("text",), path)
        return [text for text in texts if text is not None]

    def user_keys(self, node: YamlNode, shape: str, where: str) -> dict[str, Any]:
        """A mapping with arbitrary keys; in labels, numbers and booleans are taken as text."""
        values = {}
        for key, item in node.entries.items():
            path = f"{where}.{shortened(key)}"
            self.lines[path] = item.line
            if shape == "flags" and item.shape == "boolean":
                values[key] = item.value
            elif shape == "labels" and item.shape not in ("mapping", "list"):
                values[key] = "" if item.shape == "null" else self.expanded(item, path)
            else:
                self.wrong_shape(item, ("boolean",) if shape == "flags" else ("text",), path)
        return values

    def expanded(self, node: YamlNode, where: str) -> str:
        text, missing = expand(node.text, self.variables)
        for name in missing:
            hint = f"set it in the environment, or write ${{{name}:-a default}}"
            self.warn(node.line, f"variable {name} is not set, so {where} is empty", hint)
        return text

    def wrong_shape(self, node: YamlNode, shapes: Sequence[str], where: str, allowed: Sequence[str] = ()) -> None:
        """Reports it unless it is null, which leaves the default."""
        if node.shape == "null":
            return
        expected = f"one of {', '.join(allowed)}" if allowed else join_words([_NAMES[shape] for shape in shapes], "or")
        hint = "" if allowed else _shape_hint(node, shapes)
        self.report(node.line, f"{where or 'the file'} must be {expected}, not {_NAMES[node.shape]}", hint)

    def unknown(self, line: int, key: str, where: str, known: list[str]) -> None:
        path = f"{where}.{key}" if where else key
        self.report(line, *(self.explain(path) or (f"unknown key {shortened(path)}", self.known_hint(key, where, known))))

    def known_hint(self, key: str, where: str, known: list[str]) -> str:
        elsewhere = [name for name in self.fields if "[]" not in name and name.rpartition(".")[2].lower() == key.lower()]
        highest = min((name.count(".") for name in elsewhere), default=0)
        meant = [name for name in elsewhere if name.count(".") == highest] or suggestions(key, known)
        return f"did you mean {join_words(meant, 'or')}?" if meant else f"{where or 'the file'} may have {', '.join(sorted(known))}"

    def report(self, line: int, message: str, hint: Hint = "") -> None:
        self.problems.append(Diagnostic.at(self.path, line, message, hint))

    def warn(self, line: int, message: str, hint: Hint = "") -> None:
        self.warnings.append(Diagnostic.at(self.path, line, message, hint, Severity.WARNING))


def _shape(node: YamlNode, rule: FieldSchema) -> str:
    return "text" if rule.any_scalar and node.shape in ("integer", "number", "boolean") else node.shape


def _in_case(text: str, rule: FieldSchema) -> str:
    """The value of the enum that differs in letter case alone, else the text."""
    return next((each for each in rule.allowed if each.lower() == text.lower()), text) if rule.any_case else text


def _out_of_range(node: YamlNode, rule: FieldSchema) -> tuple[str, str]:
    if rule.lowest is not None and node.value < rule.lowest:
        return f"is {node.text}, the minimum is {rule.lowest}", ""
    if rule.highest is not None and node.value > rule.highest:
        return f"is {node.text}, the maximum is {rule.highest}", ""
    return "", ""


def _not_allowed(text: str, node: YamlNode, rule: FieldSchema) -> tuple[str, str]:
    """Messages show the text as written, since `text` may come from a variable. Empty counts as absent."""
    if text and rule.allowed and text not in rule.allowed:
        meant = [rule.former[text]] if text in rule.former else suggestions(text, rule.allowed)
        return f"is {quote(node.text)}, allowed: {', '.join(rule.allowed)}", f"did you mean {join_words(meant, 'or')}?" if meant else ""
    if text and rule.pattern and not re.fullmatch(rule.pattern, text):
        return f"is {quote(node.text)}, it must be {rule.example}", ""
    if rule.longest and len(text) > rule.longest:
        return f"has {len(text)} characters, at most {rule.longest} are allowed", ""
    return "", ""


def _shape_hint(node: YamlNode, shapes: Sequence[str]) -> str:
    if "text" in shapes and node.shape in ("integer", "number", "boolean"):
        return f'quote it: "{node.text}"'
    if node.shape == "text" and "${" in node.text:
        return "variables are expanded in strings only"
    if node.shape == "text" and ({"integer", "boolean"} & set(shapes)) and re.fullmatch(r"\d+|true|false", node.text):
        return f"remove the quotes: {node.text}"
    return ""
