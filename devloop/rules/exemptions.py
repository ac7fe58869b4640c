"""The exemptions of devloop.yaml: what they cover, and those that cover nothing any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase

from devloop.model.place import Fault, Place
from devloop.model.report import Finding, Severity
from devloop.model.settings import PATH, Exemption
from devloop.model.subject import Subject
from devloop.rules.rule import Rule, Rules

UNUSED = "exemptions/unused"


def expired(subject: Subject) -> Iterator[Fault]:
    """The day is over, so the findings are back."""
    for exemption in subject.settings.exemptions:
        if not is_valid(exemption, subject.today):
            message = f"the exemption from {exemption.rule} expired on {exemption.expires}: {exemption.reason}"
            yield Fault(message, Place(PATH, exemption.line), "mend what it covers, or give it a new date")


def unused(_: Subject) -> Iterator[Fault]:
    """Known only when everything else has been found: validation asks `needless` then."""
    yield from ()


def needless(exemptions: Iterable[Exemption], findings: Iterable[Finding]) -> Iterator[Fault]:
    """Exemptions that match none of `findings`."""
    found = tuple(findings)
    for exemption in exemptions:
        if not any(covers(exemption, finding) for finding in found):
            yield Fault(f"the exemption from {exemption.rule} matches no finding", Place(PATH, exemption.line), "remove it")


def covers(exemption: Exemption, finding: Finding) -> bool:
    """Whether the exemption is about the finding, whatever the day."""
    wanted = ((exemption.rule, (finding.rule,)), (exemption.path, finding.paths), (exemption.object, (finding.object,)))
    return all(not pattern or any(fnmatchcase(text, pattern) for text in texts) for pattern, texts in wanted)


def is_valid(exemption: Exemption, today: date) -> bool:
    return exemption.expires is None or today <= exemption.expires


RULES: Rules = {
    "exemptions/expired": Rule(
        expired,
        Severity.WARNING,
        "an exemption with a date is a promise to look again",
        "mend what the exemption covers and remove it, or give it a new date",
    ),
    UNUSED: Rule(
        unused,
        Severity.INFO,
        "an exemption that matches nothing will hide the next fault of its kind",
        "remove it from devloop.yaml",
    ),
}
