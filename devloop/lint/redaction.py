"""The last filter: no value of a secret, and no password of a URL, in a text that leaves devloop. The worker knows the values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic, Snippet
from devloop.hint import DevloopCommand, Hint, Instructions, ShellCommand
from devloop.model.causes.cause import Cause
from devloop.model.redaction import mask_credentials
from devloop.model.report import Event, Found, Notice, Outcome, Reconciling, StepFinished

Clean = Callable[[str], str]
_T = TypeVar("_T")


@dataclass
class Redaction:
    """Asks the worker once for each text."""

    worker: Worker
    known: dict[str, str] = field(default_factory=dict)

    def findings(self, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """In the files of findings values are looked for as well."""
        found = tuple(findings)
        paths = sorted({path for each in found for path in each.paths if path})
        return self._apply(lambda clean: tuple(_finding(each, clean) for each in found), paths)

    def event(self, event: Event) -> Event:
        if isinstance(event, Found):
            return Found(self.findings(event.findings))
        paths = {path for cause in event.causes for path in cause.paths} if isinstance(event, Reconciling) else ()
        return self._apply(lambda clean: _event(event, clean), sorted(paths))

    def _apply(self, change: Callable[[Clean], _T], paths: Iterable[str] = ()) -> _T:
        texts: dict[str, str] = {}
        change(lambda text: texts.setdefault(text, text))
        if new := [text for text in texts if text and text not in self.known]:
            self.known |= zip(new, self.worker.redact([mask_credentials(text) for text in new], tuple(paths)), strict=True)
        return change(lambda text: self.known.get(text, text))


def _event(event: Event, clean: Clean) -> Event:
    match event:
        case StepFinished(outcome):
            return StepFinished(_outcome(outcome, clean))
        case Reconciling(kustomizations, causes):
            states = tuple(replace(each, message=clean(each.message)) for each in kustomizations)
            return Reconciling(states, tuple(_cause(each, clean) for each in causes))
        case Notice(message, severity, hint):
            return Notice(clean(message), severity, _hint(hint, clean))
    return event


def _outcome(outcome: Outcome, clean: Clean) -> Outcome:
    return replace(outcome, message=clean(outcome.message), hint=_hint(outcome.hint, clean))


def _cause(cause: Cause, clean: Clean) -> Cause:
    return replace(
        cause,
        message=clean(cause.message),
        hint=_hint(cause.hint, clean),
        log=tuple(map(clean, cause.log)),
        related=tuple(replace(each, message=clean(each.message)) for each in cause.related),
        snippet=_snippet(cause.snippet, clean) if cause.snippet else None,
    )


def _finding(found: Diagnostic, clean: Clean) -> Diagnostic:
    return replace(
        found,
        message=clean(found.message),
        hint=_hint(found.hint, clean),
        location=replace(found.location, name=clean(found.location.name), namespace=clean(found.location.namespace)),
        related=tuple(replace(each, message=clean(each.message)) for each in found.related),
        arguments={name: clean(text) for name, text in found.arguments.items()},
        snippet=_snippet(found.snippet, clean) if found.snippet else None,
    )


def _snippet(snippet: Snippet, clean: Clean) -> Snippet:
    lines = tuple(map(clean, snippet.lines))
    return replace(snippet, lines=lines, end=min(snippet.end, max(snippet.start + 1, len(lines[snippet.line - snippet.first]))))


def _hint(hint: Hint, clean: Clean) -> Hint:
    match hint:
        case str():
            return clean(hint)
        case ShellCommand(argv):
            return ShellCommand(tuple(map(clean, argv)))
        case Instructions(parts):
            return Instructions(tuple(_part(each, clean) for each in parts))
    return hint


def _part(part: str | ShellCommand | DevloopCommand, clean: Clean) -> str | ShellCommand | DevloopCommand:
    cleaned = _hint(part, clean)
    assert not isinstance(cleaned, Instructions)
    return cleaned
