"""Helpers of several integration tests."""

from __future__ import annotations

import base64
import json

from .conftest import Run, User


def heals(user: User) -> None:
    healed = user.devloop("-C", "demo", "up", "local")
    assert healed.status == 0, healed.text


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
