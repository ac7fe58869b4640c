"""What a watch has seen: the latest version of each object, found by name, kind and owner."""

from __future__ import annotations

from devloop.model.causes.cause import ObjectRef
from devloop.model.causes.observed import Observed

from .objects import deployment, pod, replica_set, warning


def test_an_object_is_found_by_its_name_until_it_is_deleted() -> None:
    observed = Observed()
    ref = observed.take("ADDED", deployment())
    assert ref == ObjectRef("Deployment", "shop", "web")
    observed.take("MODIFIED", deployment(replicas=1))
    found = observed.get(ref)
    assert found and found["status"]["replicas"] == 1
    observed.take("DELETED", deployment())
    assert observed.get(ref) is None
    assert list(observed.of_kind("Deployment")) == []


def test_what_an_object_owns_follows_its_changes() -> None:
    observed = Observed()
    for obj in (replica_set(1), replica_set(2), pod(), pod(name="b")):
        observed.take("ADDED", obj)
    assert len(observed.owned("ReplicaSet", deployment())) == 2
    assert len(observed.owned("Pod", replica_set(1))) == 2
    observed.take("MODIFIED", pod(revision=2, name="b"))
    assert [each["metadata"]["name"] for each in observed.owned("Pod", replica_set(2))] == ["b"]
    observed.take("DELETED", pod())
    assert observed.owned("Pod", replica_set(1)) == []


def test_warnings_are_about_one_object_oldest_first() -> None:
    observed = Observed()
    for obj in (warning("web-1-a", "B", "later", -1), warning("web-1-a", "A", "earlier", -9), warning("other", "C", "else")):
        observed.take("ADDED", obj)
    assert [each["message"] for each in observed.warnings(pod())] == ["earlier", "later"]
