"""Formats parts of messages: lists, quotations, suggestions."""

import difflib
from collections.abc import Sequence


def quote(text: str) -> str:
    """`text` for a message: short, printable, never a private key."""
    if "AGE-SECRET-KEY" in text.upper():
        return "a private key"
    return repr(text if len(text) <= 40 else text[:37] + "...")


def join_words(names: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def join_some(names: Sequence[str], most: int) -> str:
    """`a, b and 3 more`: at most `most` names."""
    return join_words([*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])])


def counted(number: int, noun: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def suggestions(word: str, known: Sequence[str]) -> list[str]:
    """Up to three of `known` that resemble `word`, ignoring case, best first."""
    by_lower = {name.lower(): name for name in known}
    return [by_lower[name] for name in difflib.get_close_matches(word.lower(), by_lower, cutoff=0.7)]


def shortened(place: str) -> str:
    """The path of a field for a message."""
    return place if len(place) <= 80 and place.isprintable() else quote(place)


def one_line(text: str, limit: int = 240) -> str:
    """A message of another program in one line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."
