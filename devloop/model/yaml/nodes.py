"""Parses YAML into nodes that know their lines, for files people write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.hint import Hint
from devloop.model.messages import quote, shortened

if TYPE_CHECKING:
    import yaml

# A node of PyYAML, which is imported only when there is something to parse.
_ParsedNode = Any
_TAG = "tag:yaml.org,2002:"
_SHAPES = {"int": "integer", "float": "number", "bool": "boolean", "null": "null", "timestamp": "text", "str": "text", "value": "text"}
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")

# Limits against nested aliases that expand exponentially.
_MOST_NODES = 20_000
_DEEPEST = 60


@dataclass(frozen=True)
class YamlNode:
    """`shape` is mapping, list, text, integer, number, boolean or null; `value` holds nodes, or the scalar itself.

    `line` counts from 1 and is the key's where there is one; `text` is a scalar as written, so that 1.30 stays 1.30.
    """

    shape: str
    value: Any
    line: int
    text: str = ""

    @property
    def entries(self) -> dict[str, YamlNode]:
        return self.value if self.shape == "mapping" else {}

    @property
    def items(self) -> list[YamlNode]:
        return self.value if self.shape == "list" else []


def parse_yaml(text: str, path: str) -> tuple[YamlNode, list[Diagnostic]]:
    """The only document in `text` and the problems with its keys; raises InputError if there is not exactly one valid document."""
    try:
        tree = _TreeBuilder(path)
        return tree.node(_only_document(text, path)), tree.problems
    except RecursionError:
        raise _invalid(path, 0, "the file is nested too deeply") from None


def _invalid(path: str, line: int, message: str, hint: Hint = "") -> InputError:
    return InputError.of([Diagnostic.at(path, line, message, hint)])


def _only_document(text: str, path: str) -> _ParsedNode:
    import yaml

    try:
        roots = [root for root in yaml.compose_all(text, Loader=yaml.SafeLoader) if root is not None]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _invalid(path, line, f"character U+{error.character:04X} is not allowed in YAML") from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, path) from None
    documents = [root for root in roots if root.tag != _TAG + "null"]
    if not documents:
        raise _invalid(path, 0, "the file is empty")
    if len(documents) > 1:
        hint = "use one document per file: move this one to its own file"
        raise _invalid(path, documents[1].start_mark.line + 1, "a second document starts here", hint)
    return documents[0]


def _syntax_error(error: yaml.MarkedYAMLError, text: str, path: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    line = min(mark.line + 1, len(text.splitlines())) if mark else 0
    context = error.context or ""
    if error.context_mark and error.context_mark.line + 1 != line:
        context += f" that starts on line {error.context_mark.line + 1}"
    reason = ", ".join(part for part in (context, error.problem) if part)
    return _invalid(path, line, f"not valid YAML: {reason}", "indent with spaces" if "'\\t'" in reason else "")


@dataclass
class _TreeBuilder:
    """Converts PyYAML's nodes: resolves merge keys, reports duplicate keys and unsupported tags."""

    path: str
    problems: list[Diagnostic] = field(default_factory=list)
    count: int = 0

    def node(self, node: _ParsedNode, line: int = 0, depth: int = 0) -> YamlNode:
        self.count += 1
        line = line or node.start_mark.line + 1
        if self.count > _MOST_NODES:
            raise _invalid(self.path, line, "the file is too large once its aliases are expanded")
        if depth > _DEEPEST:
            raise _invalid(self.path, line, "the file is nested too deeply")
        if node.id != "scalar" and node.tag not in (_TAG + "map", _TAG + "seq"):
            self._unsupported_tag(node.tag, line)
        if node.id == "mapping":
            return YamlNode("mapping", self._mapping(node, depth), line)
        if node.id == "sequence":
            return YamlNode("list", [self.node(item, depth=depth + 1) for item in node.value], line)
        return self._scalar(node, line)

    def _mapping(self, node: _ParsedNode, depth: int) -> dict[str, YamlNode]:
        own: dict[str, YamlNode] = {}
        merged: dict[str, YamlNode] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.id != "scalar":
                self._note(line, "a key must be text, not a list or a mapping")
            elif _UNWRITABLE.search(key.value):
                self._note(line, "a key contains a NUL or an unpaired surrogate")
            elif key.tag == _TAG + "merge":
                for source in self._merge_sources(value, line):
                    merged = self._mapping(source, depth + 1) | merged
            elif key.value in own:
                self._note(line, f"key {shortened(key.value)} is duplicated, first on line {own[key.value].line}", "keep one of them")
            else:
                own[key.value] = self.node(value, line, depth + 1)
        return merged | own

    def _merge_sources(self, node: _ParsedNode, line: int) -> Iterator[_ParsedNode]:
        """The mappings that `<<` references; the first one wins."""
        for source in node.value if node.id == "sequence" else [node]:
            if source.id == "mapping":
                yield source
            else:
                self._note(line, "<< must reference a mapping or a list of mappings")

    def _scalar(self, node: _ParsedNode, line: int) -> YamlNode:
        import yaml

        shape = _SHAPES.get(node.tag.removeprefix(_TAG), "")
        if not shape:
            self._unsupported_tag(node.tag, line)
        if _UNWRITABLE.search(node.value):
            self._note(line, "the text contains a NUL or an unpaired surrogate")
            return YamlNode("text", "", line)
        if shape in ("", "text"):
            return YamlNode("text", node.value, line, node.value)
        try:
            return YamlNode(shape, yaml.constructor.SafeConstructor().construct_object(node), line, node.value)
        except (ValueError, yaml.YAMLError):
            self._note(line, f"the value is not a valid {shape}")
            return YamlNode("null", None, line, node.value)

    def _unsupported_tag(self, tag: str, line: int) -> None:
        self._note(line, f"tag {quote(tag.replace(_TAG, '!!'))} is not supported", "remove the tag")

    def _note(self, line: int, message: str, hint: Hint = "") -> None:
        self.problems.append(Diagnostic.at(self.path, line, message, hint))
