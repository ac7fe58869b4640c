"""YAML with line numbers: what people get wrong, and what must not hurt us."""

from __future__ import annotations

import pytest

from devloop.errors import InputError
from devloop.model.yaml.nodes import YamlNode, parse_yaml


def plain(node: YamlNode) -> object:
    if node.shape == "mapping":
        return {key: plain(child) for key, child in node.entries.items()}
    return [plain(item) for item in node.items] if node.shape == "list" else node.value


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "f.yaml")
    return str(caught.value.problems[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\nb: [x, 1.5, true, ~, null, '']\n", {"a": 1, "b": ["x", 1.5, True, None, None, ""]}),
        ("---\n# comment\n---\na: {}\n", {"a": {}}),
        ("a: 1\n---\n", {"a": 1}),
        ("\ufeffa: 1\n", {"a": 1}),
        ("base: &b {x: 1, y: 2}\na: {<<: *b, y: 3}\n", {"base": {"x": 1, "y": 2}, "a": {"x": 1, "y": 3}}),
        ("a: {<<: [{x: 1}, {x: 2, y: 2}]}\n", {"a": {"x": 1, "y": 2}}),
        ("a: 2025-01-01\nb: =\n1: c\n", {"a": "2025-01-01", "b": "=", "1": "c"}),
        ("just text\n", "just text"),
    ],
)
def test_values(text: str, value: object) -> None:
    node, problems = parse_yaml(text, "f.yaml")
    assert plain(node) == value
    assert not problems


def test_the_line_is_the_keys_and_numbers_keep_their_spelling() -> None:
    node, _ = parse_yaml("# first\na:\n  b:\n    - 1.30\n    -\n      c: d\n", "f.yaml")
    a = node.entries["a"]
    b = a.entries["b"]
    assert (a.line, b.line, [item.line for item in b.items]) == (2, 3, [4, 6])
    assert b.items[0].text == "1.30"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f.yaml: the file is empty"),
        ("# only\n---\n# comments\n", "f.yaml: the file is empty"),
        ("a: 1\n---\nb: 2\n", "f.yaml:3: a second document starts here"),
        ("a: b: c\n", "f.yaml:1: not valid YAML: mapping values are not allowed here"),
        ("a:\n\tb: 1\n", "f.yaml:2: not valid YAML: while scanning for the next token, found character '\\t' that cannot start any token"),
        ("a: [1,\n\n2\n", "f.yaml:3: not valid YAML: while parsing a flow sequence that starts on line 1, expected ',' or ']'"),
        ("a: *x\n", "f.yaml:1: not valid YAML: found undefined alias 'x'"),
        ("a: 1\nb: \x01\n", "f.yaml:2: character U+0001 is not allowed in YAML"),
        ("[" * 5000, "f.yaml: the file is nested too deeply"),
        ("".join(" " * n + "a:\n" for n in range(100)), "f.yaml:61: the file is nested too deeply"),
        ("a: &a {b: *a}\n", "f.yaml:1: the file is nested too deeply"),
        ("a: &a {<<: *a}\n", "f.yaml: the file is nested too deeply"),
        (
            "a: &a [" + "x," * 100 + "]\nb: &b [" + "*a," * 100 + "]\nc: [" + "*b," * 100 + "]\n",
            "f.yaml:1: the file is too large once its aliases are expanded",
        ),
    ],
)
def test_refused(text: str, said: str) -> None:
    assert refusal(text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: key a is duplicated, first on line 1"),
        ("? [a]\n: 1\n", "f.yaml:1: a key must be text, not a list or a mapping"),
        ("a: !secret b\n", "f.yaml:1: tag '!secret' is not supported"),
        ("a: !vault {b: c}\n", "f.yaml:1: tag '!vault' is not supported"),
        ("a: !!binary aGk=\n", "f.yaml:1: tag '!!binary' is not supported"),
        ("a: !!int x\n", "f.yaml:1: the value is not a valid integer"),
        ("<<: 1\n", "f.yaml:1: << must reference a mapping or a list of mappings"),
        ('a: "x\\0y"\n', "f.yaml:1: the text contains a NUL or an unpaired surrogate"),
        ('"a\\ud800": 1\n', "f.yaml:1: a key contains a NUL or an unpaired surrogate"),
        ('"\\e[31m": 1\n"\\e[31m": 2\n', "f.yaml:2: key '\\x1b[31m' is duplicated, first on line 1"),
    ],
)
def test_noted(text: str, said: str) -> None:
    _, problems = parse_yaml(text, "f.yaml")
    assert [str(problem) for problem in problems] == [said]
