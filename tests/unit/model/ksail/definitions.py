"""Definitions of tests, and what is wrong with them."""

from __future__ import annotations

import pytest

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.kind_config import read_kind
from devloop.model.ksail import read_ksail, resolve_definition, source_as_written

NEW = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\n"


OLD = "apiVersion: ksail.dev/v1alpha1\nkind: Cluster\n"


KIND = "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n"


def load(text: str, kind: str | None = None, environment: str = "local", **variables: str) -> ClusterDefinition:
    statement = read_ksail(text, "ksail.yaml", variables)
    configuration = None if kind is None else read_kind(KIND + kind, "kind.yaml", variables)
    return resolve_definition(statement, configuration, source_directory=source_as_written(statement), environment=environment)


def problems(text: str, kind: str | None = None, **variables: str) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        load(text, kind, **variables)
    return [(str(problem), str(problem.hint)) for problem in caught.value.problems]


def said(found: tuple[Diagnostic, ...]) -> list[str]:
    return [str(problem) for problem in found]
