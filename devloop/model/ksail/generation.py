"""What the generations of KSail's format have in common: a table of fields, and where each setting that devloop knows is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devloop.diagnostic import Diagnostic
from devloop.hint import Hint
from devloop.model.yaml.schema import FieldSchema
from devloop.model.yaml.validation import ValidationResult, lookup


@dataclass(frozen=True)
class Generation:
    """One generation of the format.

    `title` is how users know it. `places` maps a setting to the field that holds it here ('cni' -> 'spec.project.cni'), `words` the
    generation's values of a setting to today's (G3), `defaults` what a setting is (in today's words) where the file does not say.
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
    """What one ksail.yaml says, in the words of today whatever its generation; `path` as the user would type it."""

    path: str
    generation: Generation
    checked: ValidationResult

    def written(self, setting: str) -> Any:
        """The value of a setting, None where the file does not say; an empty text says nothing."""
        value = lookup(self.checked.data, self.place(setting)) if setting in self.generation.places else None
        words = self.generation.words.get(setting)
        return (words.get(value, value) if words else value) if value != "" else None

    def get(self, setting: str, default: str = "") -> str:
        """The value of a setting of text, with the generation's default, else `default`."""
        value = self.written(setting)
        return self.generation.defaults.get(setting, default) if value is None else str(value)

    def place(self, setting: str) -> str:
        return self.generation.places[setting]

    def line(self, setting: str) -> int:
        return self.checked.lines.get(self.generation.places.get(setting, ""), 0)

    def problem(self, setting: str, message: str, hint: Hint = "") -> Diagnostic:
        """Something about one setting: `message` goes on after the name of its field."""
        return Diagnostic.at(self.path, self.line(setting), f"{self.place(setting)} {message}", hint)
