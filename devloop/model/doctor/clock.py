"""The clock: against other clocks, and against what is valid only for a time."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from devloop.hint import Hint, command
from devloop.model.doctor.diagnosis import Diagnosis, failed, ok, warning
from devloop.model.messages import join_words

# Seconds of difference that do nobody harm: certificates are made valid from a moment before.
SKEW = 60.0
DAY = 86400.0
SOON = 7 * DAY


@dataclass(frozen=True)
class ClockReading:
    """Another clock or a date to compare with: seconds since 1970. `floor`: only being before it is wrong, else any difference is."""

    what: str
    time: float
    floor: bool = False


@dataclass(frozen=True)
class Validity:
    """From when until when a certificate is valid, in seconds since 1970, and the command that makes a new one."""

    what: str
    begins: float
    ends: float
    renewal: Hint


def judge_clock(now: float, readings: Collection[ClockReading], validities: Collection[Validity]) -> tuple[Diagnosis, ...]:
    """`now` in seconds since 1970."""
    found = (*_astray(now, readings), *_invalid(now, validities))
    agreed = [reading.what for reading in readings if not reading.floor] + ["every certificate"] * bool(validities)
    return found or (ok("clock", "agrees with " + join_words(agreed) if agreed else "sane"),)


def _astray(now: float, readings: Collection[ClockReading]) -> Iterator[Diagnosis]:
    hint = command("sudo timedatectl set-ntp true")
    for reading in readings:
        late = reading.time - now
        if late > SKEW:
            yield failed("clock", f"is {span(late)} behind {reading.what}", hint)
        elif late < -SKEW and not reading.floor:
            yield failed("clock", f"is {span(-late)} ahead of {reading.what}", hint)


def _invalid(now: float, validities: Collection[Validity]) -> Iterator[Diagnosis]:
    for validity in validities:
        if now < validity.begins:
            yield failed(
                "clock",
                f"{validity.what} is valid only in {span(validity.begins - now)}",
                command("sudo timedatectl set-ntp true"),
            )
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
