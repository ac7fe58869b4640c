"""Where the time of a run went: its steps, the sources, and each Kustomization. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from devloop.model.flux.names import SOURCES
from devloop.model.report import Outcome, Phase, Span

RECONCILE = "reconcile"  # the step during which Flux works; its parts say more
OVERLAP = 0.02  # seconds by which what came before may seem to end later


def timeline(outcomes: Iterable[Outcome], phases: Iterable[Phase], began: float) -> tuple[Span, ...]:
    """All spans by their start, relative to `began`; those on the critical path are marked."""
    subjects: dict[tuple[str, str], list[Phase]] = {}
    for phase in phases:
        subjects.setdefault((phase.kind, phase.subject), []).append(phase)
    fetched = max((parts[-1].end for (kind, _), parts in subjects.items() if kind in SOURCES), default=began)
    steps = [Span(o.title, "step", o.started - began, o.seconds) for o in outcomes if o.ran and o.title != RECONCILE]
    spans = sorted([*steps, *(_span(parts, began, fetched) for parts in subjects.values())], key=lambda span: span.start)
    after = {subject: parts[0].after for (_, subject), parts in subjects.items()}
    critical = _critical_path(spans, after)
    return tuple(replace(span, critical=span in critical) for span in spans)


def _span(parts: Sequence[Phase], began: float, fetched: float) -> Span:
    """Of one object, over all of its attempts; what depends on a source waited since that was fetched."""
    first, last = parts[0], parts[-1]
    phases = {} if first.kind in SOURCES else {"wait": max(0.0, first.start - fetched)}
    for part in parts:
        phases[part.name] = phases.get(part.name, 0.0) + part.end - part.start
    return Span(first.subject, first.kind, first.start - began, last.end - first.start, tuple(phases.items()))


def _critical_path(spans: Sequence[Span], after: Mapping[str, Collection[str]]) -> list[Span]:
    """From the span that ended last back to the first: each time, what ended last before it."""
    path = [max(spans, key=lambda span: span.end)] if spans else []
    while path:
        earlier = [span for span in spans if span not in path and _precedes(span, path[-1], after)]
        if not earlier:
            break
        path.append(max(earlier, key=lambda span: span.end))
    return path


def _precedes(span: Span, later: Span, after: Mapping[str, Collection[str]]) -> bool:
    """Whether `later` may have waited for it: a Kustomization waits for no other one than its dependencies."""
    related = "Kustomization" not in (span.kind, later.kind) or span.kind != later.kind or span.title in after.get(later.title, ())
    return related and span.end <= later.start + OVERLAP
