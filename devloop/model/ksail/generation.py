"""A generation of KSail's format (its fields, and where each setting is), and the settings of one file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devloop.diagnostic import Diagnostic
from devloop.hint import Hint
from devloop.model.yaml.schema import FieldSchema
from devloop.model.yaml.validation import ValidationResult, lookup


@dataclass(frozen=True)
class Generation:
    """`title` is the versions of KSail. `places` maps a setting to its field ('cni' -> 'spec.project.cni'), `words` its values to G3's.

    `defaults` are the generation's own defaults, as values of G3.
    """

    name: str
    title: str
    api_version: str
    fields: Mapping[str, FieldSchema]
    places: Mapping[str, str]
    words: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Statement:
    """The settings of one ksail.yaml, as values of G3 whatever its generation; `path` as the user would type it."""

    path: str
    generation: Generation
    checked: ValidationResult

    def written(self, setting: str) -> Any:
        """The value of a setting, None if the file does not set it or sets it to ''."""
        value = lookup(self.checked.data, self.place(setting)) if setting in self.generation.places else None
        words = self.generation.words.get(setting)
        return (words.get(value, value) if words else value) if value != "" else None

    def get(self, setting: str, default: str = "") -> str:
        """The value of a text setting, else the generation's default, else `default`."""
        value = self.written(setting)
        return self.generation.defaults.get(setting, default) if value is None else str(value)

    def place(self, setting: str) -> str:
        return self.generation.places[setting]

    def line(self, setting: str) -> int:
        return self.checked.lines.get(self.generation.places.get(setting, ""), 0)

    def problem(self, setting: str, message: str, hint: Hint = "") -> Diagnostic:
        """`message` continues after the name of the setting's field."""
        return Diagnostic.at(self.path, self.line(setting), f"{self.place(setting)} {message}", hint)
