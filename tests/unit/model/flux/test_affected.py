"""Which Kustomizations a revision affects, and what the status of the others says then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from devloop.model.flux.affected import Applied, applied, at_revision, is_held, sort
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.kustomization import SourceRef, parse_kustomization
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId

OLD, NEW = "main@sha1:" + "a" * 40, "main@sha1:" + "b" * 40
GIT = SourceRef("GitRepository", "flux-system", "flux-system")
ROOT, INFRA, APPS = (ObjectId("flux-system", name) for name in ("flux-system", "infra", "apps"))


def body(name: str, *needs: str, **spec: Any) -> dict[str, Any]:
    source = {"kind": GIT.kind, "name": GIT.name}
    return {
        "kind": "Kustomization",
        "metadata": {"namespace": "flux-system", "name": name, "generation": 1, "uid": f"uid-{name}", "resourceVersion": "7"},
        "spec": {"sourceRef": source, "dependsOn": [{"name": need} for need in needs], **spec},
    }


def node(name: str, *needs: str, fingerprint: str = "f", **spec: Any) -> Node:
    return Node(parse_kustomization(body(name, *needs, **spec)), NodeState.BUILT, fingerprint=fingerprint)


def live(name: str, *needs: str, revision: str = OLD, **status: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True", "message": f"Applied revision: {revision}"}, {"type": "Healthy", "status": "True"}]
    revisions = {"lastAppliedRevision": revision, "lastAttemptedRevision": revision}
    return body(name, *needs) | {"status": {"observedGeneration": 1, "conditions": conditions, **revisions, **status}}


NODES = (node("flux-system"), node("infra"), node("apps", "infra"))
LIVE = {ROOT: live("flux-system"), INFRA: live("infra"), APPS: live("apps", "infra")}
RECORD = {name: Applied(OLD, "f", f"uid-{name.name}", 1) for name in LIVE}


def graph(*nodes: Node) -> Graph:
    return Graph("local", ".", "cluster", nodes or NODES, frozenset({GIT}))


def names(found: dict[ObjectId, Any]) -> list[str]:
    return sorted(name.name for name in found)


def test_what_is_ready_at_the_revision_is_recorded_with_its_fingerprint() -> None:
    ready = {**LIVE, INFRA: live("infra", revision=NEW)}
    assert applied(graph(), ready, OLD) == {ROOT: RECORD[ROOT], APPS: RECORD[APPS]}


def test_an_edit_affects_what_would_be_built_otherwise() -> None:
    edited = graph(NODES[0], NODES[1], replace(NODES[2], fingerprint="g"))
    found = sort(edited, RECORD, LIVE)
    assert (names(found.unaffected), names(found.next)) == (["flux-system", "infra"], ["apps"])
    assert names(sort(graph(), RECORD, LIVE).unaffected) == ["apps", "flux-system", "infra"]


def test_what_depends_on_something_affected_is_left_to_flux() -> None:
    edited = graph(NODES[0], replace(NODES[1], fingerprint="g"), replace(NODES[2], fingerprint="g"))
    found = sort(edited, RECORD, LIVE)
    assert (names(found.unaffected), names(found.next)) == (["flux-system"], [])


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": ""},
        {"state": NodeState.FAILED},
        {"kustomization": parse_kustomization(body("infra", suspend=True))},
        {"kustomization": parse_kustomization(body("infra", sourceRef={"kind": "OCIRepository", "name": "other"}))},
        {"kustomization": parse_kustomization(body("infra", postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "by-hand"}]}))},
    ],
)
def test_what_does_not_come_from_the_repository_alone_is_always_affected(change: dict[str, Any]) -> None:
    assert names(sort(graph(NODES[0], replace(NODES[1], **change)), RECORD, LIVE).unaffected) == ["flux-system"]


def test_variables_that_the_repository_renders_are_part_of_the_fingerprint() -> None:
    settings = Manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "flux-system", "name": "settings"}})
    reader = node("infra", postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]})
    assert names(sort(graph(replace(NODES[0], manifests=(settings,)), reader), RECORD, LIVE).unaffected) == ["flux-system", "infra"]


@pytest.mark.parametrize(
    "now",
    [
        live("infra", revision=NEW),
        live("infra", lastAttemptedRevision=NEW),
        live("infra", conditions=[{"type": "Ready", "status": "False"}]),
        live("infra", conditions=[{"type": "Ready", "status": "True"}, {"type": "Reconciling", "status": "True"}]),
        live("infra", observedGeneration=0),
        {**live("infra"), "metadata": live("infra")["metadata"] | {"uid": "another"}},
        {**live("infra"), "metadata": live("infra")["metadata"] | {"generation": 2}},
        {**live("infra"), "metadata": live("infra")["metadata"] | {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
        None,
    ],
)
def test_a_kustomization_that_does_not_rest_where_it_was_recorded_is_affected(now: dict[str, Any] | None) -> None:
    objects = {name: obj for name, obj in {**LIVE, INFRA: now}.items() if obj}
    assert names(sort(graph(), RECORD, objects).unaffected) == ["apps", "flux-system"]
    assert names(sort(graph(), {ROOT: RECORD[ROOT]}, LIVE).unaffected) == ["flux-system"]


def test_a_status_moves_to_the_revision_with_its_messages() -> None:
    assert at_revision(LIVE[INFRA], NEW) == [
        {"op": "replace", "path": "/status/lastAttemptedRevision", "value": NEW},
        {"op": "replace", "path": "/status/lastAppliedRevision", "value": NEW},
        {"op": "replace", "path": "/status/conditions/0/message", "value": f"Applied revision: {NEW}"},
    ]


def test_a_held_kustomization_is_told_from_one_that_flux_works_at() -> None:
    assert is_held(live("apps", lastAttemptedRevision=NEW), NEW)
    assert not is_held(live("apps"), NEW)
    applied = [{"type": "Ready", "status": "True", "message": f"Applied revision: {NEW}"}]
    assert not is_held(live("apps", lastAttemptedRevision=NEW, conditions=applied), NEW), "the controller's last patch but one"
    assert not is_held(live("apps", revision=NEW), NEW)
    assert not is_held(live("apps", lastAttemptedRevision=NEW, conditions=[{"type": "Ready", "status": "Unknown"}]), NEW)
