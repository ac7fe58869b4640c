"""Which Kustomizations are worth reconciling early."""

from __future__ import annotations

from typing import Any

from devloop.model.flux.nudges import FIRST_CHECK, LONG_CHECK, STUCK_AFTER, Nudges
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.objects import ObjectId

from .test_reconciliation import APPS, CHECKING, INFRA, REVISION, ROOT, deployment, is_final, kustomization, state

LATER = FIRST_CHECK * 2


def begun(*objects: dict[str, Any]) -> tuple[Reconciliation, Nudges]:
    result = state(*objects)
    return result, Nudges(result)


def tries(nudges: Nudges) -> list[ObjectId]:
    """Without the root, which may apply the others again."""
    return [name for name in nudges.last_tries() if name != ROOT]


def test_a_running_health_check_is_nudged_when_its_targets_became_healthy_after_its_first_look() -> None:
    waiting = kustomization(APPS, "Unknown", "Progressing", wait=True, conditions=CHECKING, inventory=["shop_web_apps_Deployment"])
    result, nudges = begun(waiting, deployment(0))
    assert list(nudges.due(LATER)) == []
    result.observe("MODIFIED", deployment(1, "2"), 0.1)
    assert list(nudges.due(FIRST_CHECK / 2)) == []
    assert list(nudges.due(LATER)) == [APPS]
    nudges.requested(APPS, "1", LATER)
    assert list(nudges.due(LONG_CHECK * 2)) == []


def test_what_was_healthy_before_the_health_check_began_is_left_to_its_first_look() -> None:
    result, nudges = begun(deployment(1))
    waiting = kustomization(APPS, "Unknown", "Progressing", wait=True, conditions=CHECKING, inventory=["shop_web_apps_Deployment"])
    result.observe("ADDED", waiting, 5.0)
    assert list(nudges.due(5.0 + LATER)) == []
    assert list(nudges.due(5.0 + LONG_CHECK)) == [APPS]


def test_a_dependent_is_nudged_the_moment_that_its_dependencies_are_ready() -> None:
    waiting = kustomization(APPS, "False", "DependencyNotReady", needs=["infra"])
    result, nudges = begun(kustomization(ROOT), waiting)
    assert list(nudges.due(0.0)) == []
    result.observe("ADDED", kustomization(INFRA), 0.0)
    assert list(nudges.due(0.0)) == [APPS]


def test_a_failure_is_nudged_again_when_something_else_became_ready() -> None:
    result, nudges = begun(kustomization(ROOT), kustomization(APPS, "False", "ReconciliationFailed"))
    assert list(nudges.due(LATER)) == [APPS]
    nudges.requested(APPS, "1", LATER)
    result.observe("MODIFIED", kustomization(APPS, "False", "ReconciliationFailed", lastHandledReconcileAt="1"), LATER)
    assert list(nudges.due(LATER * 3)) == []
    result.observe("ADDED", kustomization(INFRA), LATER * 2)
    assert list(nudges.due(LATER * 3)) == [APPS]


def test_an_unanswered_nudge_keeps_a_failure_from_being_final() -> None:
    result, nudges = begun(kustomization(ROOT), kustomization(INFRA), kustomization(APPS, "False", "ReconciliationFailed"))
    assert is_final(result, LATER)
    assert list(nudges.due(LATER)) == [APPS]
    nudges.requested(APPS, "1", LATER)
    assert not is_final(result, LATER)


def test_a_failure_is_tried_again_if_anything_became_ready_since() -> None:
    """A webhook that did not answer, for example."""
    attempting = kustomization(APPS, "Unknown", "Progressing")
    result, nudges = begun(kustomization(ROOT), kustomization(INFRA), attempting)
    result.observe("MODIFIED", kustomization(APPS, "False", "ReconciliationFailed"), 0.5)
    assert tries(nudges) == []
    result.observe("ADDED", deployment(0), 1.0)
    assert tries(nudges) == []
    result.observe("MODIFIED", deployment(1), 2.0)
    assert tries(nudges) == [APPS]
    assert tries(nudges) == []


def test_a_failure_of_an_earlier_run_is_tried_once() -> None:
    """What it lacked may have been made by hand."""
    result, nudges = begun(kustomization(ROOT), kustomization(INFRA), kustomization(APPS, "False", "ReconciliationFailed"))
    assert tries(nudges) == [APPS]
    nudges.requested(APPS, "1", 0.5)
    result.observe("MODIFIED", kustomization(APPS, "False", "ReconciliationFailed", lastHandledReconcileAt="1"), 1.0)
    assert tries(nudges) == []


def test_what_only_another_revision_can_mend_is_not_tried_again() -> None:
    result, nudges = begun(kustomization(ROOT), kustomization(APPS, "False", "ArtifactFailed"))
    result.observe("ADDED", kustomization(INFRA), 1.0)
    assert tries(nudges) == []


def test_the_parent_of_what_somebody_deleted_or_changed_applies_it_again_once() -> None:
    _, nudges = begun(kustomization(ROOT), kustomization(INFRA))
    assert list(nudges.last_tries()) == [ROOT]
    assert list(nudges.last_tries()) == []
    changed = kustomization(APPS, "False", "DependencyNotReady", needs=["nothing"])
    changed["status"]["conditions"][0]["message"] = "dependency 'flux-system/nothing' not found"
    _, nudges = begun(kustomization(ROOT), kustomization(INFRA), changed)
    assert list(nudges.last_tries()) == [ROOT]


def test_a_parent_that_applied_it_in_this_wait_is_not_asked_again() -> None:
    result, nudges = begun(kustomization(ROOT, "Unknown", "Progressing"), kustomization(INFRA))
    result.observe("MODIFIED", kustomization(ROOT), 1.0)
    assert list(nudges.last_tries()) == []


def test_a_failure_that_may_pass_is_tried_again_every_two_seconds() -> None:
    """A webhook whose server has just become available does not answer at once."""
    failed = kustomization(APPS, "False", "ReconciliationFailed")
    failed["status"]["conditions"][0]["message"] = "failed calling webhook: connect: connection refused"
    result, nudges = begun(kustomization(ROOT), kustomization(INFRA))
    result.observe("ADDED", failed, 0.5)
    assert list(nudges.due(0.6)) == [APPS]
    nudges.requested(APPS, "1", 0.6)
    assert list(nudges.due(2.1)) == []
    failed["status"]["lastHandledReconcileAt"] = "1"
    result.observe("MODIFIED", failed, 0.9)
    assert list(nudges.due(1.0)) == []
    assert list(nudges.due(2.1)) == [APPS]


def test_an_attempt_without_news_is_asked_for_again() -> None:
    """The API server was restarted: the controller could not write the status of its failure."""
    _, nudges = begun(kustomization(ROOT), kustomization(INFRA), kustomization(APPS, "Unknown", "Progressing"))
    assert list(nudges.due(4.0)) == []
    assert list(nudges.due(5.5)) == [APPS]


GIT = {"kind": "GitRepository", "name": "flux-system"}


def source(revision: str) -> dict[str, Any]:
    metadata = {"name": "flux-system", "namespace": "flux-system"}
    return {"kind": "GitRepository", "metadata": metadata, "status": {"artifact": {"revision": revision}}}


def at(revision: str, attempted: str, *needs: str) -> dict[str, Any]:
    obj = kustomization(APPS, needs=needs, lastAppliedRevision=revision, lastAttemptedRevision=attempted)
    obj["spec"]["sourceRef"] = GIT
    return obj


def test_a_held_kustomization_is_asked_when_its_source_has_the_revision_and_its_dependencies_are_ready() -> None:
    result, nudges = begun(kustomization(ROOT), source("main@sha1:aaa"), at("main@sha1:aaa", REVISION, "infra"))
    assert (list(nudges.due(0.1)), list(nudges.held())) == ([], [APPS])
    result.observe("MODIFIED", source(REVISION), 0.2)
    assert list(nudges.due(0.2)) == []
    result.observe("ADDED", kustomization(INFRA), 0.3)
    assert list(nudges.due(0.3)) == [APPS]
    nudges.requested(APPS, "1", 0.3)
    assert list(nudges.due(STUCK_AFTER * 2)) == []


def test_a_kustomization_that_the_controller_has_forgotten_is_asked_after_a_while() -> None:
    result, nudges = begun(at("main@sha1:aaa", "main@sha1:aaa"), source("main@sha1:aaa"))
    assert list(nudges.due(STUCK_AFTER * 2)) == []
    result.observe("MODIFIED", source(REVISION), STUCK_AFTER)
    assert list(nudges.due(STUCK_AFTER * 1.5)) == []
    assert list(nudges.due(STUCK_AFTER * 2)) == [APPS]
