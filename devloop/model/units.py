"""Sizes in bytes."""

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
