"""Regular expressions of users: read as Go reads them; whatever is wrong with one is told, and nothing else happens."""

from __future__ import annotations

import pytest

from devloop.model.re2 import compiled


@pytest.mark.parametrize(
    ("expression", "text"), [("[[:alpha:]]|a+", "aa"), (r"\.enc\.(?i)ya?ml", "A.enc.YAML"), (r"\pL+", "ü"), ("é", "café")]
)
def test_an_expression_is_one_of_go(expression: str, text: str) -> None:
    assert compiled(expression).search(text)


def test_the_whole_is_more_than_a_part() -> None:
    assert compiled("a|ab").fullmatch("ab")
    assert not compiled("a").fullmatch("ab")
    assert compiled("a").search("ab")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[a-z", r"missing \]"),
        ("a{1001}", "invalid repetition size"),
        ("(" * 20_000, r"missing \)"),
        ("(?=a)", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("\udc80", "unpaired surrogate"),
    ],
)
def test_what_is_none_is_told(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        compiled(text)


def test_no_expression_takes_for_ever() -> None:
    assert not compiled("(a*)*(a|aa)+b").search("a" * 50_000)


def test_a_name_that_is_no_text_is_looked_at() -> None:
    assert compiled("secret").search("\udc80/secret.yaml")
