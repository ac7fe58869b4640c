"""The phases of Flux's work, from what a watch sees, and the timeline of a run."""

from __future__ import annotations

from typing import Any

from devloop.model.flux.phases import Phases
from devloop.model.report import Outcome, Phase, Status
from devloop.model.timeline import timeline

REVISION = "main@sha1:abc"
OLD = "main@sha1:old"


def kustomization(name: str, message: str = "", *, ready: bool = False, applied: str = REVISION) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if ready else "Unknown", "reason": "Progressing", "observedGeneration": 1}]
    if message:
        conditions.append({"type": "Reconciling", "status": "True", "message": message})
    return {
        "kind": "Kustomization",
        "metadata": {"namespace": "flux-system", "name": name, "generation": 1},
        "spec": {},
        "status": {"observedGeneration": 1, "lastAppliedRevision": applied, "conditions": conditions},
    }


def source(revision: str) -> dict[str, Any]:
    metadata = {"namespace": "flux-system", "name": "flux-system"}
    return {"kind": "GitRepository", "metadata": metadata, "status": {"artifact": {"revision": revision}}}


def test_each_phase_lasts_until_the_next_begins() -> None:
    phases = Phases()
    phases.observe(source(OLD), REVISION, 0.0)
    phases.observe(kustomization("apps", ready=True, applied=OLD), REVISION, 0.0)
    phases.observe(source(REVISION), REVISION, 1.0)
    for words, now in (("Fetching manifests", 1.5), ("Building manifests", 1.6), ("Detecting drift", 2.0), ("Running health checks", 2.5)):
        phases.observe(kustomization("apps", f"{words} for revision {REVISION} with a timeout of 30s", applied=OLD), REVISION, now)
    phases.observe(kustomization("apps", ready=True), REVISION, 4.0)
    assert list(phases.all(0.0, 9.0)) == [
        Phase("flux-system/flux-system", "GitRepository", "artifact", 0.0, 1.0),
        Phase("flux-system/apps", "Kustomization", "fetch", 1.5, 1.6),
        Phase("flux-system/apps", "Kustomization", "build", 1.6, 2.0),
        Phase("flux-system/apps", "Kustomization", "apply", 2.0, 2.5),
        Phase("flux-system/apps", "Kustomization", "health", 2.5, 4.0),
    ]


def test_a_second_attempt_follows_the_first_and_another_revision_does_not_count() -> None:
    phases = Phases()
    phases.observe(kustomization("apps", f"Building manifests for revision {OLD} with a timeout of 30s"), REVISION, 1.0)
    for words, now in (("Fetching manifests", 2.0), ("Building manifests", 2.5), ("Fetching manifests", 3.0), ("Fetching manifests", 3.5)):
        phases.observe(kustomization("apps", f"{words} for revision {REVISION} with a timeout of 30s", applied=OLD), REVISION, now)
    found = list(phases.all(0.0, 5.0))
    assert [(each.name, each.start, each.end) for each in found] == [("fetch", 2.0, 2.5), ("build", 2.5, 3.0), ("fetch", 3.0, 5.0)]
    [span] = timeline([], found, 0.0)
    assert (span.start, span.seconds, dict(span.phases)) == (2.0, 3.0, {"wait": 2.0, "fetch": 2.5, "build": 0.5})


def test_what_was_ready_already_has_no_phases() -> None:
    phases = Phases()
    phases.observe(source(REVISION), REVISION, 1.0)
    phases.observe(kustomization("apps", ready=True), REVISION, 1.0)
    assert list(phases.all(1.0, 5.0)) == []


def spans() -> dict[str, tuple[float, bool]]:
    """Title -> start and whether it is critical, of a run with a short and a long branch."""
    outcomes = [
        Outcome(Status.CHANGED, title="snapshot", started=10.0, seconds=0.1),
        Outcome(Status.UNCHANGED, title="validation", started=10.0, seconds=0.3),
        Outcome(Status.CHANGED, title="push", started=10.3, seconds=0.1),
        Outcome(Status.UNCHANGED, title="reconcile", started=10.4, seconds=3.0),
    ]
    phases = [
        Phase("flux-system/source", "GitRepository", "artifact", 10.4, 10.6),
        Phase("flux-system/base", "Kustomization", "build", 10.6, 11.0),
        Phase("flux-system/other", "Kustomization", "build", 10.6, 11.4),
        Phase("flux-system/apps", "Kustomization", "build", 11.4, 12.0, ("flux-system/base",)),
    ]
    return {span.title: (round(span.start, 3), span.critical) for span in timeline(outcomes, phases, 10.0)}


def test_the_critical_path_leads_from_the_last_end_to_the_first_start() -> None:
    found = spans()
    assert {title for title, (_, critical) in found.items() if critical} == {
        "validation", "push", "flux-system/source", "flux-system/base", "flux-system/apps"
    }  # fmt: skip
    assert "reconcile" not in found
    assert found["flux-system/apps"] == (1.4, True)


def test_a_kustomization_waited_since_its_source_was_fetched() -> None:
    phases = [
        Phase("flux-system/source", "GitRepository", "artifact", 0.0, 1.0),
        Phase("flux-system/apps", "Kustomization", "build", 1.5, 2.0),
    ]
    [_, apps] = timeline([], phases, 0.0)
    assert apps.phases == (("wait", 0.5), ("build", 0.5))
