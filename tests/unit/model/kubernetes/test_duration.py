"""Durations as users type them."""

from __future__ import annotations

import pytest

from devloop.errors import InputError
from devloop.model.kubernetes.duration import parse_duration

SECONDS = [("90s", 90), ("10m", 600), ("1h30m", 5400), ("300ms", 0.3), ("45", 45), ("1.5m", 90), (".5m", 30), ("1.h", 3600)]


@pytest.mark.parametrize(("text", "seconds"), SECONDS)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text, "--timeout") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "10 minutes", "-5s", "5x", "0s", "m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a duration"):
        parse_duration(text, "--timeout")
