"""Helpers of several integration tests."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from devloop.output.events import SCHEMA as EVENTS
from devloop.output.json import SCHEMA as REPORT

from .conftest import Run, User

if TYPE_CHECKING:
    from docker.models.containers import Container


def heals(user: User) -> None:
    healed = user.devloop("-C", "demo", "up", "local")
    assert healed.status == 0, healed.text


def at_rest(user: User) -> None:
    """Wait until Flux works at nothing: it looks at a Kustomization once more a second after its dependencies were not ready."""
    user.kubectl("wait", "--for=condition=Ready", "kustomizations", "--all", "-A", "--timeout=30s")


def spoken(run: Run) -> str:
    """All text of the output, as one line."""
    return " ".join(run.text.split())


def secrets_of(user: User) -> list[str]:
    """Everything that must never be shown: private Age keys, Git passwords, values of the cluster's Secrets."""
    keys = [line for path in (user.home / "config").rglob("*.agekey") for line in path.read_text().splitlines() if not line.startswith("#")]
    passwords = [value for path in (user.home / "state").rglob("git-credentials.json") for value in json.loads(path.read_text()).values()]
    items = json.loads(user.kubectl("get", "secrets", "-A", "-l", "kustomize.toolkit.fluxcd.io/name", "-o", "json"))["items"]
    values = [base64.b64decode(value).decode(errors="replace") for item in items for value in item["data"].values()]
    return [secret for secret in (*keys, *passwords, *values) if len(secret) >= 12]


def containers_of(user: User) -> list[Container]:
    """The nodes and the Git server of the user's environment `local`."""
    labels = (f"devloop.dev/environment={user.cluster}", f"io.x-k8s.kind.cluster={user.cluster}")
    return [each for label in labels for each in user.engine.containers.list(all=True, filters={"label": label})]


def events_of(path: Path) -> list[dict[str, Any]]:
    """What --events wrote: whole lines, each checked against the schema that the package has."""
    *lines, rest = path.read_text().split("\n")
    registry: Registry[Any] = Registry().with_resource("report.schema.json", Resource.from_contents(json.loads(REPORT.read_text())))
    validator = Draft202012Validator(json.loads(EVENTS.read_text()), registry=registry)
    events = [json.loads(line) for line in lines]
    assert (rest, [error.message for event in events for error in validator.iter_errors(event)]) == ("", [])
    return events
