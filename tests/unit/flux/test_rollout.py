"""Why a controller crashed."""

from __future__ import annotations

import pytest

from devloop.flux.rollout import last_error


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            '{"level":"info","msg":"starting"}\n{"level":"error","msg":"unable to start manager","error":"bind: in use"}\nbye',
            "unable to start manager: bind: in use",
        ),
        ("panic: no\n\n", "panic: no"),
        ("", "no log output"),
        ("3\n[]\n", "[]"),
    ],
)
def test_the_last_error_of_a_log(log: str, expected: str) -> None:
    assert last_error(log) == expected
