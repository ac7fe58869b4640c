"""Reads ksail.yaml of every generation: text -> Statement -> ClusterDefinition. Each generation has a module with its table of fields."""

from collections.abc import Mapping
from dataclasses import replace

from devloop.errors import InputError
from devloop.model.ksail.detection import detect, explain
from devloop.model.ksail.folders import source_as_written
from devloop.model.ksail.generation import Statement
from devloop.model.ksail.resolve import resolve_definition
from devloop.model.yaml.nodes import parse_yaml
from devloop.model.yaml.other_formats import other_format_problem
from devloop.model.yaml.validation import validate_fields

API_VERSION = "ksail.io/v1alpha1"


def read_ksail(text: str, path: str, variables: Mapping[str, str]) -> Statement:
    """Invalid values are reported as `checked.problems`; raises InputError if the file is not a KSail definition."""
    root, problems = parse_yaml(text, path)
    if other_format := other_format_problem(root, path, "a KSail definition", API_VERSION):
        raise InputError.of([other_format])
    detected = detect(root)
    checked = validate_fields(root, detected.generation.fields, path, variables, lambda place: explain(place, detected))
    return Statement(path, detected.generation, replace(checked, problems=(*problems, *checked.problems)))


__all__ = ["API_VERSION", "Statement", "resolve_definition", "read_ksail", "source_as_written"]
