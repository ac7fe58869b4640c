"""Parses and validates handwritten YAML; every value has its line."""
