"""Amounts: what Kubernetes reads, and what would make us compute for hours."""

from __future__ import annotations

from fractions import Fraction

import pytest

from devloop.model.kubernetes.quantity import parse_quantity, show_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("500m", Fraction(1, 2)),
        (2, Fraction(2)),
        ("1.5Gi", Fraction(3 * 2**29)),
        ("1e3", Fraction(1000)),
        ("-1k", Fraction(-1000)),
        (".1n", Fraction(1, 10**9)),
        ("", None),
        ("1 Gi", None),
        ("1e31", None),
        ("9" * 5000, None),
        ("9" * 5000 + "Mi", None),
        (True, None),
        (["1"], None),
    ],
)
def test_what_an_amount_says(text: object, amount: Fraction | None) -> None:
    assert parse_quantity(text) == amount


@pytest.mark.parametrize(("amount", "text"), [(Fraction(1, 2), "500m"), (Fraction(2**31), "2Gi"), (Fraction(7), "7"), (Fraction(0), "0")])
def test_an_amount_is_written_in_the_shortest_way(amount: Fraction, text: str) -> None:
    assert show_quantity(amount) == text
