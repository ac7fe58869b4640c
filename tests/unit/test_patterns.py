"""Regular expressions of users: whatever is wrong with one is told, and nothing else happens."""

from __future__ import annotations

import warnings

import pytest

from devloop.model.patterns import compiled


def test_an_expression_is_one() -> None:
    with warnings.catch_warnings(action="error"):
        assert compiled("[[:alpha:]]|a+").search("aa")


@pytest.mark.parametrize(("text", "reason"), [("[a-z", "unterminated"), ("a{99999999999999}", "too large"), ("(" * 20_000, "nested")])
def test_what_is_none_is_told(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        compiled(text)
