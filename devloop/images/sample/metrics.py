"""Writes and reads Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]

_NAME = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})?\s+(\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True)
class Sample:
    name: str
    labels: Labels
    value: float


def sample(name: str, value: float, **labels: str) -> Sample:
    return Sample(name, tuple(sorted(labels.items())), value)


def write(samples: Iterable[Sample]) -> str:
    return "".join(f"{one.name}{_labels(one.labels)} {one.value:g}\n" for one in samples)


def _labels(labels: Labels) -> str:
    pairs = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels)
    return f"{{{pairs}}}" if pairs else ""


def read(text: str) -> tuple[Sample, ...]:
    """The samples of an exposition, without comments and invalid lines."""
    matches = (_NAME.match(line) for line in text.splitlines() if not line.startswith("#"))
    return tuple(Sample(m[1], _read_labels(m[3] or ""), value) for m in matches if m and (value := number(m[4])) is not None)


def _read_labels(text: str) -> Labels:
    return tuple(sorted((name, _unescaped(value)) for name, value in _LABEL.findall(text)))


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class Counters:
    def __init__(self, *names: str) -> None:
        self._values: dict[str, float] = dict.fromkeys(names, 0.0)

    def add(self, name: str, amount: float = 1.0) -> None:
        self._values[name] += amount

    def samples(self) -> tuple[Sample, ...]:
        return tuple(sample(name, value) for name, value in self._values.items())
