"""Durations of Go and Kubernetes: 300ms, 90s, 10m, 1h30m."""

import re

from devloop.errors import InputError

# https://pkg.go.dev/time#ParseDuration, without signs; micro has two characters.
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_NUMBER, _UNIT = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+", "ns|us|µs|μs|ms|s|m|h"
_PART = re.compile(rf"({_NUMBER})({_UNIT})")
# The pattern of a whole duration.
DURATION = rf"(?:(?:{_NUMBER})(?:{_UNIT}))+"


def parse_duration(text: str, name: str) -> float:
    """Seconds; a plain number counts as seconds. Raises InputError, also for '' and zero; `name` is what the duration is for."""
    stripped = text.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", stripped):
        stripped += "s"
    parts = _PART.findall(stripped)
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if not re.fullmatch(DURATION, stripped) or not seconds:
        raise InputError(f"{name} {text!r} is not a duration", hint="use a format like 90s, 10m or 1h30m")
    return seconds
