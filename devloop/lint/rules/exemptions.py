"""The exemptions in devloop.yaml: what they cover, and which have expired or cover nothing."""

from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import LintContext
from devloop.model.lint.settings import PATH, Exemption

UNUSED = "exemptions/unused"


def expired(context: LintContext) -> Iterator[Diagnostic]:
    """The exemption is past its date, so its findings are reported again."""
    for exemption in context.settings.exemptions:
        if not is_valid(exemption, context.today):
            arguments = {"rule": exemption.rule, "date": exemption.expires, "reason": exemption.reason}
            message, location = "the exemption from {rule} expired on {date}: {reason}", Location(PATH, exemption.line)
            yield Diagnostic.of(message, location, "fix what it covers, or set a new date", **arguments)


def unused(_: LintContext) -> Iterator[Diagnostic]:
    """Known only after all other rules have run: see `needless`."""
    yield from ()


def needless(exemptions: Iterable[Exemption], findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Exemptions that match none of `findings`."""
    found = tuple(findings)
    for exemption in exemptions:
        if not any(covers(exemption, finding) for finding in found):
            message, location = "the exemption from {rule} matches no finding", Location(PATH, exemption.line)
            yield Diagnostic.of(message, location, "remove it", rule=exemption.rule)


def covers(exemption: Exemption, finding: Diagnostic) -> bool:
    """Whether the exemption matches the finding, regardless of its date."""
    globs = ((exemption.rule, (finding.rule,)), (exemption.path, finding.paths), (exemption.object, (finding.object,)))
    return all(not glob or any(fnmatchcase(text, glob) for text in texts) for glob, texts in globs)


def is_valid(exemption: Exemption, today: date) -> bool:
    return exemption.expires is None or today <= exemption.expires


RULES: Rules = {
    "exemptions/expired": Rule(
        expired,
        Severity.WARNING,
        "the date of an exemption is a promise to review it",
        "fix what the exemption covers and remove it, or set a new date",
    ),
    UNUSED: Rule(
        unused, Severity.INFO, "an exemption that matches nothing will hide the next finding of its kind", "remove it from devloop.yaml"
    ),
}
