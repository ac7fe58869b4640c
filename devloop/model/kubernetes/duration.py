"""Durations of Go and Kubernetes: 300ms, 90s, 10m, 1h30m."""

import re

from devloop.errors import InputError

# https://pkg.go.dev/time#ParseDuration, without signs
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


def parse_duration(text: str, name: str) -> float:
    """Seconds; a plain number counts as seconds. Raises InputError, also for '' and zero; `name` is what the duration is for."""
    stripped = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", stripped):
        stripped += "s"
    parts = _PART.findall(stripped)
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != stripped or not seconds:
        raise InputError(f"{name} {text!r} is not a duration", hint="use a format like 90s, 10m or 1h30m")
    return seconds
