"""Alert rules: the subset of Prometheus that the sample platform uses.

YAML with block mappings, block lists and plain or quoted scalars; expressions compare a metric with a metric or a number.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .metrics import Labels, Sample, number

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_EXPRESSION = re.compile(r"([a-zA-Z_:][\w:]*)\s*(==|!=|<=|>=|<|>)\s*([\w:.+-]+)")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LINE = re.compile(r"( *)(- )?(?:([\w.-]+):(?: +(.*))?|(.*))")


class BadRule(Exception):
    """An invalid or unsupported rule."""


@dataclass(frozen=True)
class Rule:
    """`seconds` is the duration of `for`."""

    name: str
    metric: str
    comparison: str
    than: str
    seconds: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def matches(self, samples: Sequence[Sample]) -> tuple[Labels, ...]:
        """The label sets for which the rule holds; compares two metrics where their labels are equal."""
        compare, constant = _COMPARISONS[self.comparison], number(self.than)
        others = {sample.labels: sample.value for sample in samples if sample.name == self.than}
        pairs = [(sample, others.get(sample.labels, constant)) for sample in samples if sample.name == self.metric]
        return tuple(sample.labels for sample, than in pairs if than is not None and compare(sample.value, than))


def read_rules(text: str) -> tuple[Rule, ...]:
    """The alerts of all groups; raises BadRule."""
    content = read_yaml(text)
    try:
        return tuple(_rule(rule) for group in content["groups"] for rule in group["rules"] if "alert" in rule)
    except (KeyError, TypeError) as error:
        raise BadRule(f"the rules lack {error}") from None


def _rule(rule: Mapping[str, Any]) -> Rule:
    match = _EXPRESSION.fullmatch(rule["expr"].strip())
    if not match:
        raise BadRule(f"{rule['alert']}: unsupported expression {rule['expr']!r}")
    duration = re.fullmatch(r"(\d+)([smh])", rule.get("for", "0s"))
    if not duration:
        raise BadRule(f"{rule['alert']}: {rule['for']!r} is not a duration")
    seconds = float(duration[1]) * _UNITS[duration[2]]
    return Rule(rule["alert"], match[1], match[2], match[3], seconds, rule.get("labels", {}), rule.get("annotations", {}))


def read_yaml(text: str) -> Any:
    """Mappings, lists and strings of the subset above."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    tokens = list(_tokens(lines))
    value, rest = _block(tokens, tokens[0][0]) if tokens else ({}, [])
    if rest:
        raise BadRule(f"cannot read {rest[0]}")
    return value


Token = tuple[int, bool, str | None, str]


def _tokens(lines: Sequence[str]) -> Iterator[Token]:
    """Indentation, whether a list item starts, key, scalar."""
    for line in lines:
        match = _LINE.fullmatch(line)
        assert match is not None  # the last alternative matches everything
        scalar = match[4] if match[3] is not None else match[5]
        yield len(match[1]), bool(match[2]), match[3], _scalar(scalar or "")


def _scalar(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _block(tokens: list[Token], indent: int) -> tuple[Any, list[Token]]:
    return _list(tokens, indent) if tokens[0][1] else _mapping(tokens, indent)


def _list(tokens: list[Token], indent: int) -> tuple[list[Any], list[Token]]:
    items: list[Any] = []
    while tokens and tokens[0][0] == indent and tokens[0][1]:
        _, _, key, scalar = tokens[0]
        if key is None:
            items.append(scalar)
            tokens = tokens[1:]
        else:  # a mapping whose first key follows the dash
            item, tokens = _mapping([(indent + 2, False, key, scalar), *tokens[1:]], indent + 2)
            items.append(item)
    return items, tokens


def _mapping(tokens: list[Token], indent: int) -> tuple[dict[str, Any], list[Token]]:
    result: dict[str, Any] = {}
    while tokens and tokens[0][0] == indent and not tokens[0][1] and tokens[0][2] is not None:
        _, _, key, scalar = tokens[0]
        tokens = tokens[1:]
        deeper = tokens and not scalar and (tokens[0][0] > indent or (tokens[0][0] == indent and tokens[0][1]))
        result[str(key)], tokens = _block(tokens, tokens[0][0]) if deeper else (scalar, tokens)
    return result, tokens
