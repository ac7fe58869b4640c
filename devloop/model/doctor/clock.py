"""Compares the clock with other clocks and with the validity of certificates."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from devloop.hint import Hint, command
from devloop.model.doctor.diagnosis import Diagnosis, failed, ok, warning
from devloop.model.messages import join_words

# Harmless difference in seconds: certificates become valid a moment before they are issued.
SKEW = 60.0
DAY = 86400.0
SOON = 7 * DAY


@dataclass(frozen=True)
class ClockReading:
    """Another clock or a date, in seconds since 1970. `floor`: only an earlier clock is wrong, else any difference."""

    what: str
    time: float
    floor: bool = False


@dataclass(frozen=True)
class Validity:
    """The validity of a certificate, in seconds since 1970, and the command that renews it."""

    what: str
    begins: float
    ends: float
    renewal: Hint


def judge_clock(now: float, readings: Collection[ClockReading], validities: Collection[Validity]) -> tuple[Diagnosis, ...]:
    """`now` in seconds since 1970."""
    problems = (*_skewed(now, readings), *_invalid(now, validities))
    checked = [reading.what for reading in readings if not reading.floor] + ["every certificate"] * bool(validities)
    return problems or (ok("clock", "agrees with " + join_words(checked) if checked else "sane"),)


_SYNCHRONISE = command("sudo timedatectl set-ntp true")


def _skewed(now: float, readings: Collection[ClockReading]) -> Iterator[Diagnosis]:
    for reading in readings:
        late = reading.time - now
        if late > SKEW:
            yield failed("clock", f"is {span(late)} behind {reading.what}", _SYNCHRONISE)
        elif late < -SKEW and not reading.floor:
            yield failed("clock", f"is {span(-late)} ahead of {reading.what}", _SYNCHRONISE)


def _invalid(now: float, validities: Collection[Validity]) -> Iterator[Diagnosis]:
    for validity in validities:
        if now < validity.begins:
            yield failed("clock", f"{validity.what} becomes valid only in {span(validity.begins - now)}", _SYNCHRONISE)
        elif now > validity.ends:
            yield failed("clock", f"{validity.what} expired {span(now - validity.ends)} ago", validity.renewal)
        elif validity.ends - now < SOON:
            yield warning("clock", f"{validity.what} expires in {span(validity.ends - now)}", validity.renewal)


def span(seconds: float) -> str:
    """'90 s', '5 min', '3 h', '12 days'."""
    for unit, size in (("days", DAY), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
