"""The exemptions of devloop.yaml: what they cover, and those that cover nothing any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import LintContext
from devloop.model.lint.settings import PATH, Exemption

UNUSED = "exemptions/unused"


def expired(subject: LintContext) -> Iterator[Diagnostic]:
    """The day is over, so the findings are back."""
    for exemption in subject.settings.exemptions:
        if not is_valid(exemption, subject.today):
            message = f"the exemption from {exemption.rule} expired on {exemption.expires}: {exemption.reason}"
            yield Diagnostic(message, Location(PATH, exemption.line), "mend what it covers, or give it a new date")


def unused(_: LintContext) -> Iterator[Diagnostic]:
    """Known only when everything else has been found: validation asks `needless` then."""
    yield from ()


def needless(exemptions: Iterable[Exemption], findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Exemptions that match none of `findings`."""
    found = tuple(findings)
    for exemption in exemptions:
        if not any(covers(exemption, finding) for finding in found):
            yield Diagnostic(f"the exemption from {exemption.rule} matches no finding", Location(PATH, exemption.line), "remove it")


def covers(exemption: Exemption, finding: Diagnostic) -> bool:
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
