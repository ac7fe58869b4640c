"""Quantities of Kubernetes (500m, 2, 1.5Gi, 1e3), as exact fractions.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_QUANTITY = re.compile(r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE](?P<exponent>[+-]?[0-9]+)|(?P<suffix>[a-zA-Z]*))")

# Kubernetes rounds up to this.
_SMALLEST = Fraction(1, 10**9)
# Limits against values that take hours to compute.
_LARGEST_EXPONENT = 30
_LONGEST = 60


def parse_quantity(value: Any) -> Fraction | None:
    """Rounded away from zero to a billionth; None if it is not a quantity."""
    return _parse(str(value)) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None


@lru_cache(maxsize=4096)
def _parse(text: str) -> Fraction | None:
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    factor = _factor(match["exponent"], match["suffix"]) if match else None
    return _rounded(Fraction(match["number"]) * factor) if match and factor is not None else None


def _factor(exponent: str | None, suffix: str | None) -> Fraction | None:
    if exponent is not None:
        return Fraction(10) ** int(exponent) if len(exponent) < 4 and abs(int(exponent)) <= _LARGEST_EXPONENT else None
    if suffix in _BINARY:
        return Fraction(2 ** _BINARY[suffix])
    return Fraction(10) ** _DECIMAL[suffix] if suffix in _DECIMAL else None


def _rounded(amount: Fraction) -> Fraction:
    nanos = amount / _SMALLEST
    up = -(-abs(nanos.numerator) // nanos.denominator)
    return (up if nanos > 0 else -up) * _SMALLEST


def show_quantity(amount: Fraction) -> str:
    """The short form: the largest suffix that leaves an integer, else thousandths."""
    if amount.denominator > 1:
        return f"{amount * 1000}m" if (amount * 1000).denominator == 1 else str(float(amount))
    for suffix, power in reversed(_BINARY.items()):
        if amount and amount % 2**power == 0:
            return f"{amount / 2**power}{suffix}"
    return str(amount)
